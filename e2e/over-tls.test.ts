import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dots, DotsProcess, until } from './dots-process.ts'

/**
 *   client process ── TLS on 127.0.0.1 ── server process ── SQLite, dry-run mitigator
 *        │ UNIX socket                         │ UNIX socket
 *      dots                                  dots
 */
const folder = mkdtempSync(join(tmpdir(), 'breakwater-tls-'))
const running: DotsProcess[] = []
const serverSocket = join(folder, 'server.sock')
const clientSocket = join(folder, 'client.sock')

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/**
 * @param more What stands beside the address, as `, transports: [tcp]`.
 * @param port Null: none is named.
 */
async function startServer(
  more = '',
  port: number | null = 0,
  address = '127.0.0.1'
): Promise<{ server: DotsProcess; listen: readonly string[]; port: number }> {
  const config = write(
    'server.yaml',
    `listen: [{ address: ${address}${port === null ? '' : `, port: ${port}`}${more} }]
credentials: { certificate: pki/server.crt, privateKey: pki/server.key, trustAnchors: pki/ca.crt }
preSharedKeys: [{ identity: branch, keyFile: branch.psk }]
clients:
  - { name: home, identity: { dnsName: home.example }, prefixes: [203.0.113.0/24] }
  - { name: branch, identity: { pskIdentity: branch }, prefixes: [198.51.100.0/24] }
mitigator: { kind: dry-run }
store: { path: state/server.db }
control: { socket: server.sock }
activeButTerminatingSeconds: 0
`
  )
  const server = new DotsProcess(['server', '--config', config])
  running.push(server)
  const { listen } = await server.ready()
  return { server, listen, port: Number(listen[0]?.split(':').at(-1)) }
}

const byCertificate = '{ certificate: pki/home.crt, privateKey: pki/home.key, trustAnchors: pki/ca.crt }'
const byKey = '{ pskIdentity: branch, keyFile: branch.psk }'

async function startClient(port: number, more = '', credentials = byCertificate): Promise<DotsProcess> {
  const config = write(
    'client.yaml',
    `domains:
  - name: isp-a
    prefixes: [203.0.113.0/24, 198.51.100.0/24]
    sources: [127.0.0.1]
    server: { name: dots.isp-a.example, addresses: [127.0.0.1], port: ${port}${more} }
    credentials: ${credentials}
control: { socket: client.sock }
`
  )
  const client = new DotsProcess(['client', '--config', config])
  running.push(client)
  await client.ready()
  return client
}

interface Session {
  readonly peer: string
  readonly state: string
  readonly transport: string
}

async function sessions(socket: string): Promise<readonly Session[]> {
  const { stdout } = await dots(['status', '--json', '--socket', socket])
  return (JSON.parse(stdout) as { sessions: readonly Session[] }).sessions
}

function protect(...args: string[]): ReturnType<typeof dots> {
  return dots(['protect', ...args, '--json', '--wait', '--timeout', '20', '--socket', clientSocket])
}

async function protectionOf(address: string): Promise<{ readonly id: string; readonly state: string }> {
  const asked = await protect(address)
  expect(asked.code, asked.stdout + asked.stderr).toBe(0)
  return (JSON.parse(asked.stdout) as { protection: { id: string; state: string } }).protection
}

async function established(socket: string): Promise<Session> {
  return until(
    async () => (await sessions(socket)).find(({ state }) => state === 'established'),
    () => 'no session'
  )
}

beforeAll(async () => {
  const pki = join(folder, 'pki')
  await dots(['pki', 'init', pki])
  await dots(['pki', 'issue', 'server', '--server', '--dns', 'dots.isp-a.example', '--dir', pki])
  await dots(['pki', 'issue', 'home', '--client', '--dns', 'home.example', '--dir', pki])
  chmodSync(write('branch.psk', 'a5'.repeat(32)), 0o600)
})

afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.stop('SIGKILL')))
  rmSync(join(folder, 'state'), { recursive: true, force: true })
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a client and a server over TLS on loopback', () => {
  it('protect and release, and both say that it goes over TCP', async () => {
    const { port } = await startServer()
    await startClient(port, ', transports: [tcp]')
    const { id, state } = await protectionOf('203.0.113.7')
    expect(state).toBe('protected')
    expect(await sessions(clientSocket)).toMatchObject([{ state: 'established', transport: 'tcp' }])
    expect(await sessions(serverSocket)).toMatchObject([
      { peer: 'home', state: 'established', transport: 'tcp' }
    ])
    const text = await dots(['status', '--socket', serverSocket])
    expect(text.stdout).toMatch(/home +established +tcp /)
    const released = await dots(['release', id, '--socket', clientSocket])
    expect(released.code, released.stderr).toBe(0)
  })

  it('listen on UDP and TCP at one port that the system chose', async () => {
    const { listen, port } = await startServer()
    expect(listen).toEqual([`udp 127.0.0.1:${port}`, `tcp 127.0.0.1:${port}`])
  })

  it('listen on port 4646, on UDP and TCP, where nothing else is agreed [RFC9132-3-M01]', async () => {
    // An address that no other test listens on.
    const { listen } = await startServer('', null, '127.46.46.1')
    expect(listen).toEqual(['udp 127.46.46.1:4646', 'tcp 127.46.46.1:4646'])
  })

  it('listen on the port that the configuration names [RFC9132-3-S01]', async () => {
    const { port } = await startServer()
    await Promise.all(running.splice(0).map((process) => process.stop('SIGKILL')))
    const again = await startServer('', port)
    expect(again.listen).toEqual([`udp 127.0.0.1:${port}`, `tcp 127.0.0.1:${port}`])
  })

  it('meet over TCP by themselves where UDP leads nowhere', async () => {
    const { listen, port } = await startServer(', transports: [tcp]')
    expect(listen).toEqual([`tcp 127.0.0.1:${port}`])
    await startClient(port)
    expect(await established(clientSocket)).toMatchObject({ transport: 'tcp' })
  })

  it('prefer UDP where both lead to the server', async () => {
    const { port } = await startServer()
    await startClient(port)
    expect(await established(clientSocket)).toMatchObject({ transport: 'udp' })
  })

  it('meet by a pre-shared key', async () => {
    const { port } = await startServer()
    await startClient(port, ', transports: [tcp]', byKey)
    expect((await protectionOf('198.51.100.9')).state).toBe('protected')
    expect(await sessions(serverSocket)).toMatchObject([{ peer: 'branch', transport: 'tcp' }])
  })

  it('find the session gone at once when the server is stopped, and say so', async () => {
    const { server, port } = await startServer()
    await startClient(port, ', transports: [tcp]')
    await established(clientSocket)
    await server.stop()
    const gone = await until(
      async () => (await sessions(clientSocket)).find(({ state }) => state !== 'established'),
      () => 'the session stays'
    )
    expect(gone.state).toMatch(/connecting|pausing/)
  })

  it('count what goes over TLS apart', async () => {
    const { port } = await startServer()
    await startClient(port, ', transports: [tcp]')
    await established(clientSocket)
    const { stdout } = await dots(['status', '--json', '--counters', '--socket', serverSocket])
    const { counters } = JSON.parse(stdout) as { counters: Record<string, number> }
    expect(counters['tls_sessions_established_total']).toBe(1)
    expect(counters['tls_peers']).toBe(1)
    expect(counters['dtls_peers'] ?? 0).toBe(0)
  })
})

describe('a configuration of transports', () => {
  it('is refused where TCP is to be bound to an interface', async () => {
    const config = write(
      'wrong.yaml',
      `listen: [{ address: 127.0.0.1, interface: lo, transports: [udp, tcp, tcp] }]
preSharedKeys: [{ identity: branch, keyFile: branch.psk }]
clients: [{ name: branch, identity: { pskIdentity: branch }, prefixes: [198.51.100.0/24] }]
mitigator: { kind: dry-run }
store: { path: state/server.db }
`
    )
    const { code, stderr, stdout } = await dots(['config', 'check', config])
    expect(code).not.toBe(0)
    const said = stderr + stdout
    expect(said).toContain('the transport tcp is given twice')
    expect(said).toContain('cannot be bound to an interface')
  })
})
