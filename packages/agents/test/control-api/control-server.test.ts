import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fork } from 'node:child_process'
import { silentLog, UnavailableError } from '@breakwater/core'
import { ControlClient, loadControlSchemas } from '@breakwater/control'
import { systemClock } from '@breakwater/runtime'
import { Value } from 'typebox/value'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openControlServer } from '../../src/control-api/control-server.ts'
import type { ControlServer } from '../../src/control-api/control-server.ts'
import type { ClientHandlers, ServerHandlers } from '../../src/control-api/handlers.ts'
import { ScriptedClient, scriptedServer } from './scripted-handlers.ts'
import { call } from './socket-call.ts'

let folder: string
let socket: string
let scripted: ScriptedClient
let open: ControlServer[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-'))
  socket = join(folder, 'run', 'agent.sock')
  scripted = new ScriptedClient()
  open = []
})

afterEach(async () => {
  await Promise.all(open.map((server) => server.close()))
  rmSync(folder, { recursive: true, force: true })
})

async function start(handlers: ClientHandlers | ServerHandlers = scripted): Promise<ControlServer> {
  const server = await openControlServer({ socket, handlers, clock: systemClock(), log: silentLog })
  open.push(server)
  return server
}

function client(): ControlClient {
  return new ControlClient(({ method, path, body }) => call(socket, method, path, body))
}

describe('the control server of a client', () => {
  it('carries a protection from the client to the handlers and back', async () => {
    await start()
    const request = { prefixes: ['203.0.113.7/32'], ports: [{ lower: 80, upper: 80 }], lifetimeSeconds: -1 }
    const answer = await client().protect(request)
    expect(answer).toMatchObject({ accepted: true, protection: { id: 'p-1', state: 'asking' } })
    expect(scripted.asked).toEqual([request])
    expect(await client().protections()).toHaveLength(1)
    expect(await client().release('p-1')).toMatchObject({ state: 'ending', revision: 2 })
  })

  it('answers as the contract says, command by command', async () => {
    await start()
    const schemas = await loadControlSchemas()
    await client().protect({ prefixes: ['203.0.113.7/32'] })
    const answers = [
      [schemas.agentSchema, await client().agent()],
      [schemas.planSchema, await client().plan({ prefixes: ['203.0.113.7/32'] })],
      [schemas.protectAnswerSchema, await client().protect({ prefixes: ['8.8.8.8/32'] })],
      [schemas.protectionSchema, await client().protection('p-1')],
      [schemas.sessionsSchema, { sessions: await client().sessions() }],
      [schemas.protectionsSchema, { protections: await client().protections() }],
      [schemas.domainsSchema, await client().domains()],
      [schemas.pathsSchema, await client().paths()],
      [
        schemas.decisionsSchema,
        { decisions: await client().why('udp wan-a 198.51.100.1 to [2001:db8::1]:4646') }
      ],
      [schemas.countersSchema, { counters: await client().counters() }]
    ] as const
    for (const [schema, answer] of answers) expect(Value.Errors(schema, answer)).toEqual([])
  })

  it('says of what nothing was decided about that it is not known', async () => {
    await start()
    await expect(client().why('p-9')).rejects.toMatchObject({
      code: 'CONTROL_DECISIONS_UNKNOWN',
      message: expect.stringContaining('nothing was decided about p-9') as string
    })
  })

  it('makes its socket for its own account only, in a folder of its own', async () => {
    await start()
    expect(statSync(socket).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o700)
  })

  it('takes the socket away when it closes', async () => {
    const server = await start()
    await server.close()
    open = []
    expect(statSync(socket, { throwIfNoEntry: false })).toBeUndefined()
  })

  it.each([
    ['no body', undefined],
    ['broken JSON', '{"prefixes": ['],
    ['no prefix', '{"prefixes": []}'],
    ['an unknown key', '{"prefixes": ["192.0.2.1/32"], "port": 80}'],
    ['a port as text', '{"prefixes": ["192.0.2.1/32"], "ports": [{"lower": "80", "upper": 80}]}'],
    ['a port out of range', '{"prefixes": ["192.0.2.1/32"], "ports": [{"lower": 0, "upper": 65536}]}'],
    ['a lifetime below -1', '{"prefixes": ["192.0.2.1/32"], "lifetimeSeconds": -2}'],
    ['too many prefixes', JSON.stringify({ prefixes: Array.from({ length: 257 }, () => '192.0.2.1/32') })],
    ['a prototype', '{"prefixes": ["192.0.2.1/32"], "__proto__": {"x": 1}}']
  ])('refuses a command with %s and does nothing', async (_, body) => {
    await start()
    const { status, text } = await call(socket, 'POST', '/v1/protections', body)
    expect(status).toBe(400)
    expect(JSON.parse(text)).toMatchObject({
      error: { family: 'DecodeError', code: 'CONTROL_REQUEST_INVALID' }
    })
    const { errorSchema } = await loadControlSchemas()
    expect(Value.Errors(errorSchema, JSON.parse(text))).toEqual([])
    expect(scripted.asked).toEqual([])
  })

  it('refuses a body that is too long', async () => {
    await start()
    const { status, text } = await call(socket, 'POST', '/v1/plan', `{"x":"${'a'.repeat(300_000)}"}`)
    expect(status).toBe(413)
    expect(text).toContain('CONTROL_REQUEST_TOO_LARGE')
  })

  it('says which command or protection it does not know', async () => {
    await start()
    await expect(client().mitigations()).rejects.toMatchObject({
      code: 'CONTROL_COMMAND_UNKNOWN',
      answer: 404
    })
    await expect(client().protection('p-9')).rejects.toMatchObject({ code: 'CONTROL_PROTECTION_UNKNOWN' })
    await expect(client().release('p-9')).rejects.toMatchObject({ code: 'CONTROL_PROTECTION_UNKNOWN' })
  })

  it('passes errors of the six families on, and hides what is our own fault', async () => {
    await start()
    scripted.failure = new UnavailableError('STORE_BUSY', 'the store is busy', true)
    await expect(client().sessions()).rejects.toMatchObject({ code: 'STORE_BUSY' })
    scripted.failure = new TypeError('secret of the stack')
    const { status, text } = await call(socket, 'GET', '/v1/sessions')
    expect(status).toBe(500)
    expect(text).toContain('CONTROL_INTERNAL')
    expect(text).not.toContain('secret')
  })
})

describe('waiting for a change', () => {
  it('ends with the change', async () => {
    await start()
    await client().protect({ prefixes: ['203.0.113.7/32'] })
    const waiting = client().protection('p-1', { revision: 1, waitSeconds: 30 })
    await expect.poll(() => scripted.listeners.size).toBe(1)
    scripted.change('p-1', 'protected')
    expect(await waiting).toMatchObject({ state: 'protected', revision: 2 })
    expect(scripted.listeners.size).toBe(0)
  })

  it('ends at once when the change has happened already', async () => {
    await start()
    await client().protect({ prefixes: ['203.0.113.7/32'] })
    scripted.change('p-1', 'protected')
    expect(await client().protection('p-1', { revision: 1, waitSeconds: 30 })).toMatchObject({ revision: 2 })
  })

  it('ends when time is up, with what is then', async () => {
    await start()
    await client().protect({ prefixes: ['203.0.113.7/32'] })
    expect(await client().protection('p-1', { revision: 1, waitSeconds: 0.05 })).toMatchObject({
      revision: 1
    })
    expect(scripted.listeners.size).toBe(0)
  })

  it('ends when the agent stops', async () => {
    const server = await start()
    await client().protect({ prefixes: ['203.0.113.7/32'] })
    const waiting = client().protection('p-1', { revision: 1, waitSeconds: 30 })
    await expect.poll(() => scripted.listeners.size).toBe(1)
    await server.close()
    open = []
    expect(await waiting).toMatchObject({ revision: 1 })
  })

  it.each(['waitSeconds=-1', 'waitSeconds=abc', 'afterRevision=1.5', 'afterRevision=1&x=1'])(
    'refuses %s',
    async (query) => {
      await start()
      await client().protect({ prefixes: ['203.0.113.7/32'] })
      expect((await call(socket, 'GET', `/v1/protections/p-1?${query}`)).status).toBe(400)
    }
  )
})

describe('the control server of a server', () => {
  it('sends clients elsewhere, and takes that back; what is no redirection is refused', async () => {
    await start(scriptedServer)
    const redirection = { server: 'alt.example', addresses: ['192.0.2.1'], ttlSeconds: 60 }
    expect(await client().redirect(redirection)).toEqual(redirection)
    await client().stopRedirecting()
    await expect(client().redirect({ ...redirection, ttlSeconds: -1 })).rejects.toMatchObject({
      code: 'CONTROL_REQUEST_INVALID'
    })
  })

  it('tells its mitigations, counters of 64 bits included', async () => {
    await start(scriptedServer)
    const schemas = await loadControlSchemas()
    const mitigations = await client().mitigations()
    expect(Value.Errors(schemas.mitigationsSchema, { mitigations })).toEqual([])
    expect(mitigations[0]?.droppedPackets).toBe('12345678901234567890')
  })

  it('knows no protections', async () => {
    await start(scriptedServer)
    await expect(client().protections()).rejects.toMatchObject({ code: 'CONTROL_COMMAND_UNKNOWN' })
  })
})

describe('the path of the socket', () => {
  it('is refused while another agent listens there', async () => {
    await start()
    await expect(start()).rejects.toMatchObject({ code: 'CONTROL_SOCKET_IN_USE' })
    expect(await client().agent()).toMatchObject({ role: 'client' })
  })

  it('is taken over from a process that was killed', async () => {
    await start()
    const path = join(folder, 'dead.sock')
    const holder = fork(join(import.meta.dirname, 'socket-holder.ts'), [path])
    await new Promise((resolve) => holder.once('message', resolve))
    const gone = new Promise((resolve) => holder.once('exit', resolve))
    holder.kill('SIGKILL')
    await gone
    expect(statSync(path).isSocket()).toBe(true)
    socket = path
    await start()
    expect(await client().agent()).toMatchObject({ role: 'client' })
  })

  it('is left alone when something else stands there', async () => {
    socket = join(folder, 'file')
    writeFileSync(socket, 'precious')
    await expect(start()).rejects.toMatchObject({ code: 'CONTROL_SOCKET_NO_SOCKET' })
    expect(statSync(socket).size).toBe(8)
  })

  it('is refused when its folder is a file', async () => {
    writeFileSync(join(folder, 'blocked'), '')
    socket = join(folder, 'blocked', 'agent.sock')
    await expect(start()).rejects.toMatchObject({ code: 'CONFIG_FOLDER_UNUSABLE' })
    // Node's own recursive mkdir would never come back from here.
    socket = '/proc/breakwater/agent.sock'
    await expect(start()).rejects.toMatchObject({ code: 'CONFIG_FOLDER_UNUSABLE' })
  })

  it('is left alone when a stranger listens there that speaks no HTTP', async () => {
    socket = join(folder, 'mute.sock')
    const stranger = createServer()
    await new Promise<void>((resolve) => {
      stranger.listen(socket, resolve)
    })
    await expect(start()).rejects.toMatchObject({ code: 'CONTROL_SOCKET_IN_USE' })
    await new Promise((resolve) => stranger.close(resolve))
  })
})
