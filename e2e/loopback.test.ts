import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dots, DotsProcess, until } from './dots-process.ts'
import { LoopbackAgents, byCertificate, byKey } from './loopback-agents.ts'

/**
 *   client process ── DTLS on 127.0.0.1 ── server process ── SQLite, dry-run mitigator
 *        │ UNIX socket                          │ UNIX socket
 *      dots                                   dots
 */
const agents = new LoopbackAgents()
const { serverSocket, clientSocket } = agents

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
  return (await agents.status(socket)) as Status
}

function auditTrail(): Record<string, unknown>[] {
  const text = readFileSync(join(agents.folder, 'audit/requests.jsonl'), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

beforeAll(() => agents.certify('stranger'))
afterEach(() => agents.forget())
afterAll(() => agents.remove())

describe('a client and a server on loopback', () => {
  it('meet where the client names no source: the system has one (RFC 9284 §5.1)', async () => {
    const { port } = await agents.startServer()
    await agents.startClient(port, { sources: '[]' })
    const asked = await agents.protect('203.0.113.7')
    expect(asked.code, asked.stdout).toBe(0)
    expect(JSON.parse(asked.stdout)).toMatchObject({ protection: { state: 'protected' } })
  })

  it('protect, see it at the server, release, see it gone', async () => {
    const { port } = await agents.startServer()
    await agents.startClient(port)

    const asked = await agents.protect('203.0.113.7', '--port', '80', '--protocol', 'udp')
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
    const { port } = await agents.startServer()
    await agents.startClient(port, { credentials: byKey })
    expect((await agents.protect('198.51.100.0/25')).code).toBe(0)
    expect((await status(serverSocket)).mitigations).toMatchObject([{ client: 'branch', state: 'active' }])
  })

  it('what belongs to somebody else is refused by the server, and written down', async () => {
    const { port } = await agents.startServer()
    await agents.startClient(port, { credentials: byKey })
    // The client believes that it owns this prefix; the server knows better.
    const { code, stdout } = await agents.protect('203.0.113.7')
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
    const { port } = await agents.startServer()
    await agents.startClient(port, { credentials: byCertificate.replaceAll('home', 'stranger') })
    expect((await agents.protect('203.0.113.7')).code).toBe(3)
    expect(auditTrail()).toMatchObject([
      { identity: 'dns:stranger.example', outcome: 'refused', answer: '4.01' }
    ])
  })

  it('kill -9 of the server and a restart: the mitigation is still there with the rest of its lifetime', async () => {
    const { server, port } = await agents.startServer()
    await agents.startClient(port)
    expect((await agents.protect('203.0.113.0/28', '--lifetime', '600')).code).toBe(0)
    const before = await until(
      async () => {
        const left = (await status(serverSocket)).mitigations[0]?.remainingLifetimeSeconds ?? 600
        return left < 600 ? left : undefined
      },
      () => 'the lifetime does not run'
    )
    await server.stop('SIGKILL')

    await agents.startServer({ port })
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
    const { port } = await agents.startServer()
    const client = await agents.startClient(port)
    const { stdout } = await agents.protect('203.0.113.7')
    const { protection } = JSON.parse(stdout) as { protection: { id: string } }
    await client.stop('SIGKILL')

    await agents.startClient(port)
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
    const { server, port } = await agents.startServer()
    const client = await agents.startClient(port)
    expect((await agents.protect('203.0.113.7')).code).toBe(0)
    expect((await client.stop('SIGTERM')).code).toBe(0)
    await until(
      () => (server.log.includes('session.closed') ? true : undefined),
      () => server.log
    )
    expect(server.log).toContain('close-notify')
    expect((await status(serverSocket)).mitigations).toMatchObject([{ state: 'active' }])
  })

  it('SIGTERM of the server ends it in order, and its sockets are gone', async () => {
    const { server } = await agents.startServer()
    const { code } = await server.stop('SIGTERM')
    expect(code).toBe(0)
    expect(statSync(serverSocket, { throwIfNoEntry: false })).toBeUndefined()
    expect(server.log).toContain('agent.stopped')
  })

  it('a second server in the same place refuses to start; one that was killed leaves no trouble behind', async () => {
    const { server, port } = await agents.startServer()
    const second = await new DotsProcess(['server', '--config', agents.serverConfig()]).finished()
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('another agent listens')
    await server.stop('SIGKILL')
    expect(statSync(serverSocket).isSocket()).toBe(true)
    await agents.startServer({ port })
  })

  it('a bad configuration refuses to start, with all its mistakes', async () => {
    const bad = agents.write(
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
    const { server, port } = await agents.startServer()
    const client = await agents.startClient(port, { credentials: byKey })
    await agents.protect('198.51.100.0/25')
    for (const text of [server.log, client.log]) {
      expect(text).not.toContain('a5a5a5')
      expect(text).not.toContain('PRIVATE KEY')
    }
  })
})
