import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dots, DotsProcess, until } from './dots-process.ts'

/**
 *   client process ── DTLS on 127.0.0.1 ── server process ── SQLite, dry-run mitigator
 *        │ UNIX socket                          │ UNIX socket
 *      dots                                   dots
 */
const folder = mkdtempSync(join(tmpdir(), 'breakwater-e2e-'))
const running: DotsProcess[] = []

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const serverSocket = join(folder, 'server.sock')
const clientSocket = join(folder, 'client.sock')

function serverConfig(port: number): string {
  return write(
    'server.yaml',
    `listen: [{ address: 127.0.0.1, port: ${port} }]
credentials: { certificate: pki/server.crt, privateKey: pki/server.key, trustAnchors: pki/ca.crt }
preSharedKeys: [{ identity: branch, keyFile: branch.psk }]
clients:
  - { name: home, identity: { dnsName: home.example }, prefixes: [203.0.113.0/24] }
  - { name: branch, identity: { pskIdentity: branch }, prefixes: [198.51.100.0/24] }
mitigator: { kind: dry-run }
store: { path: state/server.db }
control: { socket: server.sock }
audit: { path: audit/requests.jsonl }
activeButTerminatingSeconds: 0
`
  )
}

function clientConfig(port: number, credentials: string): string {
  return write(
    'client.yaml',
    `domains:
  - name: isp-a
    prefixes: [203.0.113.0/24, 198.51.100.0/24]
    sources: [127.0.0.1]
    server: { name: dots.isp-a.example, addresses: [127.0.0.1], port: ${port} }
    credentials: ${credentials}
control: { socket: client.sock }
store: { path: state/client.db }
`
  )
}

const byCertificate = '{ certificate: pki/home.crt, privateKey: pki/home.key, trustAnchors: pki/ca.crt }'
const byKey = '{ pskIdentity: branch, keyFile: branch.psk }'

async function startServer(port = 0): Promise<{ readonly server: DotsProcess; readonly port: number }> {
  const server = new DotsProcess(['server', '--config', serverConfig(port)])
  running.push(server)
  const { listen } = await server.ready()
  return { server, port: Number(listen[0]?.split(':').at(-1)) }
}

async function startClient(port: number, credentials = byCertificate): Promise<DotsProcess> {
  const client = new DotsProcess(['client', '--config', clientConfig(port, credentials)])
  running.push(client)
  await client.ready()
  return client
}

interface Status {
  readonly protections: readonly { readonly id: string; readonly state: string }[]
  readonly mitigations: readonly {
    readonly client: string
    readonly state: string
    readonly remainingLifetimeSeconds: number
    readonly target: { readonly prefixes: readonly string[] }
  }[]
}

async function status(socket: string): Promise<Status> {
  const { stdout } = await dots(['status', '--json', '--socket', socket])
  return JSON.parse(stdout) as Status
}

function protect(...args: string[]): ReturnType<typeof dots> {
  return dots(['protect', ...args, '--json', '--wait', '--timeout', '10', '--socket', clientSocket])
}

function auditTrail(): Record<string, unknown>[] {
  const text = readFileSync(join(folder, 'audit/requests.jsonl'), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

beforeAll(async () => {
  const pki = join(folder, 'pki')
  await dots(['pki', 'init', pki])
  await dots(['pki', 'issue', 'server', '--server', '--dns', 'dots.isp-a.example', '--dir', pki])
  await dots(['pki', 'issue', 'home', '--client', '--dns', 'home.example', '--dir', pki])
  await dots(['pki', 'issue', 'stranger', '--client', '--dns', 'stranger.example', '--dir', pki])
  chmodSync(write('branch.psk', 'a5'.repeat(32)), 0o600)
})

afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.stop('SIGKILL')))
  rmSync(join(folder, 'state'), { recursive: true, force: true })
  rmSync(join(folder, 'audit'), { recursive: true, force: true })
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a client and a server on loopback', () => {
  it('protect, see it at the server, release, see it gone', async () => {
    const { port } = await startServer()
    await startClient(port)

    const asked = await protect('203.0.113.7', '--port', '80', '--protocol', 'udp')
    expect(asked.code, asked.stdout).toBe(0)
    const { protection } = JSON.parse(asked.stdout) as { protection: { id: string; state: string } }
    expect(protection.state).toBe('protected')
    const [mitigation] = (await status(serverSocket)).mitigations
    expect(mitigation).toMatchObject({
      client: 'home',
      state: 'active',
      target: { prefixes: ['203.0.113.7/32'], ports: [{ lower: 80, upper: 80 }], protocols: [17] }
    })

    const released = await dots(['release', protection.id, '--wait', '--json', '--socket', clientSocket])
    expect(released.code, released.stderr).toBe(0)
    expect(JSON.parse(released.stdout)).toMatchObject({ protection: { state: 'ended' } })
    await until(
      async () => ((await status(serverSocket)).mitigations.length === 0 ? true : undefined),
      () => 'the mitigation is still at the server'
    )
    expect((await status(clientSocket)).protections).toEqual([])
    expect(
      auditTrail().map(({ method, outcome, answer, client, identity }) => [
        method,
        outcome,
        answer,
        client,
        identity
      ])
    ).toEqual([
      ['PUT', 'created', '2.01', 'home', 'dns:home.example'],
      ['DELETE', 'withdrawn', '2.02', 'home', 'dns:home.example']
    ])
  })

  it('a client with a pre-shared key', async () => {
    const { port } = await startServer()
    await startClient(port, byKey)
    expect((await protect('198.51.100.0/25')).code).toBe(0)
    expect((await status(serverSocket)).mitigations).toMatchObject([{ client: 'branch', state: 'active' }])
  })

  it('what belongs to somebody else is refused by the server, and written down', async () => {
    const { port } = await startServer()
    await startClient(port, byKey)
    // The client believes that it owns this prefix; the server knows better.
    const { code, stdout } = await protect('203.0.113.7')
    expect(code, stdout).toBe(3)
    expect(stdout).toContain('refused')
    expect((await status(serverSocket)).mitigations).toEqual([])
    // One for each copy: on a busy machine the answer may come after the client has repeated its request.
    const [first, ...copies] = auditTrail()
    expect(first).toMatchObject({
      identity: 'psk:branch',
      client: 'branch',
      targets: ['203.0.113.7/32'],
      outcome: 'foreign-target'
    })
    for (const copy of copies) expect(copy).toMatchObject({ outcome: 'foreign-target' })
  })

  it('a stranger with a certificate of the same authority gets nothing', async () => {
    const { port } = await startServer()
    await startClient(port, byCertificate.replaceAll('home', 'stranger'))
    expect((await protect('203.0.113.7')).code).toBe(3)
    expect(auditTrail()).toMatchObject([
      { identity: 'dns:stranger.example', outcome: 'refused', answer: '4.01' }
    ])
  })

  it('kill -9 of the server and a restart: the mitigation is still there with the rest of its lifetime', async () => {
    const { server, port } = await startServer()
    await startClient(port)
    expect((await protect('203.0.113.0/28', '--lifetime', '600')).code).toBe(0)
    const before = await until(
      async () => {
        const left = (await status(serverSocket)).mitigations[0]?.remainingLifetimeSeconds ?? 600
        return left < 600 ? left : undefined
      },
      () => 'the lifetime does not run'
    )
    await server.stop('SIGKILL')

    await startServer(port)
    const [mitigation] = (await status(serverSocket)).mitigations
    expect(mitigation?.target.prefixes).toEqual(['203.0.113.0/28'])
    expect(mitigation?.remainingLifetimeSeconds).toBeLessThanOrEqual(before)
    expect(mitigation?.remainingLifetimeSeconds).toBeGreaterThan(500)
    await until(
      async () => ((await status(serverSocket)).mitigations[0]?.state === 'active' ? true : undefined),
      () => 'the mitigator was not told again'
    )
  })

  it('kill -9 of the client and a restart: it goes on with its protections, and can release them', async () => {
    const { port } = await startServer()
    const client = await startClient(port)
    const { stdout } = await protect('203.0.113.7')
    const { protection } = JSON.parse(stdout) as { protection: { id: string } }
    await client.stop('SIGKILL')

    await startClient(port)
    await until(
      async () => ((await status(clientSocket)).protections[0]?.state === 'protected' ? true : undefined),
      () => 'the protection did not come back'
    )
    const released = await dots(['release', protection.id, '--wait', '--socket', clientSocket])
    expect(released.code, released.stderr).toBe(0)
    await until(
      async () => ((await status(serverSocket)).mitigations.length === 0 ? true : undefined),
      () => 'the mitigation is still at the server'
    )
  })

  it('SIGTERM of the client withdraws nothing and says goodbye', async () => {
    const { server, port } = await startServer()
    const client = await startClient(port)
    expect((await protect('203.0.113.7')).code).toBe(0)
    expect((await client.stop('SIGTERM')).code).toBe(0)
    await until(
      () => (server.log.includes('session.closed') ? true : undefined),
      () => server.log
    )
    expect(server.log).toContain('close-notify')
    expect((await status(serverSocket)).mitigations).toMatchObject([{ state: 'active' }])
  })

  it('SIGTERM of the server ends it in order, and its sockets are gone', async () => {
    const { server } = await startServer()
    const { code } = await server.stop('SIGTERM')
    expect(code).toBe(0)
    expect(statSync(serverSocket, { throwIfNoEntry: false })).toBeUndefined()
    expect(server.log).toContain('agent.stopped')
  })

  it('a second server in the same place refuses to start; one that was killed leaves no trouble behind', async () => {
    const { server, port } = await startServer()
    const second = await new DotsProcess(['server', '--config', serverConfig(0)]).finished()
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('another agent listens')
    await server.stop('SIGKILL')
    expect(statSync(serverSocket).isSocket()).toBe(true)
    await startServer(port)
  })

  it('a bad configuration refuses to start, with all its mistakes', async () => {
    const bad = write(
      'bad.yaml',
      'listen: [{ address: here }]\nclients: []\nstore: { pth: x }\nmitigator: {}\n'
    )
    const { code, stdout, stderr } = await dots(['server', '--config', bad])
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr.split('\n')).toEqual([
      `dots: ${bad} has 6 mistakes`,
      '  line 1, column 1: the server has neither "credentials" nor "preSharedKeys" nor "rawPublicKey"',
      '  line 1, column 21: listen[0].address: must be an IP address, not "here"',
      '  line 2, column 1: clients: must have at least 1 item',
      '  line 3, column 1: store: the key "path" is missing',
      '  line 3, column 10: store.pth: unknown key "pth"; did you mean "path"?',
      '  line 4, column 1: mitigator: the key "kind" is missing: "dry-run" or "nftables"',
      ''
    ])
  })

  it('no secret in any log', async () => {
    const { server, port } = await startServer()
    const client = await startClient(port, byKey)
    await protect('198.51.100.0/25')
    for (const text of [server.log, client.log]) {
      expect(text).not.toContain('a5a5a5')
      expect(text).not.toContain('PRIVATE KEY')
    }
  })
})
