import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dots, until } from './dots-process.ts'
import { LoopbackAgents, byKey } from './loopback-agents.ts'

/**
 *   client process ── TLS on 127.0.0.1 ── server process ── SQLite, dry-run mitigator
 *        │ UNIX socket                         │ UNIX socket
 *      dots                                  dots
 */
const agents = new LoopbackAgents()
const { serverSocket, clientSocket } = agents
const overTcp = { transports: '[tcp]' }

interface Session {
  readonly peer: string
  readonly state: string
  readonly transport: string
}

async function sessions(socket: string): Promise<readonly Session[]> {
  return ((await agents.status(socket)) as { sessions: readonly Session[] }).sessions
}

async function protectionOf(address: string): Promise<{ readonly id: string; readonly state: string }> {
  const asked = await agents.protect(address)
  expect(asked.code, asked.stdout + asked.stderr).toBe(0)
  return (JSON.parse(asked.stdout) as { protection: { id: string; state: string } }).protection
}

async function established(socket: string): Promise<Session> {
  return until(
    async () => (await sessions(socket)).find(({ state }) => state === 'established'),
    () => 'no session'
  )
}

beforeAll(() => agents.certify())
afterEach(() => agents.forget())
afterAll(() => agents.remove())

describe('a client and a server over TLS on loopback', () => {
  it('protect and release, and both say that it goes over TCP', async () => {
    const { port } = await agents.startServer()
    await agents.startClient(port, overTcp)
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
    const { listen, port } = await agents.startServer()
    expect(listen).toEqual([`udp 127.0.0.1:${port}`, `tcp 127.0.0.1:${port}`])
  })

  it('listen on port 4646, on UDP and TCP, where nothing else is agreed [RFC9132-3-M01]', async () => {
    // An address that no other test listens on.
    const { listen } = await agents.startServer({ port: null, address: '127.46.46.1' })
    expect(listen).toEqual(['udp 127.46.46.1:4646', 'tcp 127.46.46.1:4646'])
  })

  it('listen on the port that the configuration names [RFC9132-3-S01]', async () => {
    const { port } = await agents.startServer()
    await agents.kill()
    const again = await agents.startServer({ port })
    expect(again.listen).toEqual([`udp 127.0.0.1:${port}`, `tcp 127.0.0.1:${port}`])
  })

  it('meet over TCP by themselves where UDP leads nowhere', async () => {
    const { listen, port } = await agents.startServer(overTcp)
    expect(listen).toEqual([`tcp 127.0.0.1:${port}`])
    await agents.startClient(port)
    expect(await established(clientSocket)).toMatchObject({ transport: 'tcp' })
  })

  it('prefer UDP where both lead to the server', async () => {
    const { port } = await agents.startServer()
    await agents.startClient(port)
    expect(await established(clientSocket)).toMatchObject({ transport: 'udp' })
  })

  it('meet by a pre-shared key', async () => {
    const { port } = await agents.startServer()
    await agents.startClient(port, { ...overTcp, credentials: byKey })
    expect((await protectionOf('198.51.100.9')).state).toBe('protected')
    expect(await sessions(serverSocket)).toMatchObject([{ peer: 'branch', transport: 'tcp' }])
  })

  it('find the session gone at once when the server is stopped, and say so', async () => {
    const { server, port } = await agents.startServer()
    await agents.startClient(port, overTcp)
    await established(clientSocket)
    await server.stop()
    const gone = await until(
      async () => (await sessions(clientSocket)).find(({ state }) => state !== 'established'),
      () => 'the session stays'
    )
    expect(gone.state).toMatch(/connecting|pausing/)
  })

  it('count what goes over TLS apart', async () => {
    const { port } = await agents.startServer()
    await agents.startClient(port, overTcp)
    await established(clientSocket)
    const said = await agents.status(serverSocket, '--counters')
    const { counters } = said as { counters: Record<string, number> }
    expect(counters['tls_sessions_established_total']).toBe(1)
    expect(counters['tls_peers']).toBe(1)
    expect(counters['dtls_peers'] ?? 0).toBe(0)
  })
})

describe('a configuration of transports', () => {
  it('is refused where TCP is to be bound to an interface', async () => {
    const config = agents.write(
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
