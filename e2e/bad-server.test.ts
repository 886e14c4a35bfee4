import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Code, Method, OptionNumber, encodeMessage, stringOption, uintOption } from '@breakwater/coap'
import { ControlClient } from '@breakwater/control'
import type { ProtectionView } from '@breakwater/control'
import { socketTransport } from '@breakwater/cli'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DotsProcess, until } from './dots-process.ts'
import { array, head, integer, Key, lifetime, map, scopes, text } from './raw-cbor.ts'
import type { Cbor } from './raw-cbor.ts'
import { asDotsCbor } from './raw-peer.ts'
import { ScriptedServer } from './scripted-server.ts'
import type { Script, SeenRequest } from './scripted-server.ts'

/**
 *   `dots client` ── DTLS on 127.0.0.1 ── isp1, a server with a script of its own: 203.0.113.0/24
 *        └────────── DTLS on 127.0.0.1 ── isp2, which nobody has anything to ask of: 198.51.100.0/24
 */
const key = new Uint8Array(32).fill(7)

let folder: string
let isp1: ScriptedServer
let isp2: ScriptedServer
let client: DotsProcess
let control: ControlClient

const mute: Script = () => undefined

function domainSection(name: string, prefix: string, port: number): string {
  return `  - name: ${name}
    prefixes: [${prefix}]
    sources: [127.0.0.1]
    server: { name: dots.${name}.example, addresses: [127.0.0.1], port: ${port} }
    credentials: { pskIdentity: home, keyFile: home.psk }
`
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-bad-server-'))
  isp1 = await ScriptedServer.open('home', key, mute)
  isp2 = await ScriptedServer.open('home', key, (_request, reply) => reply.answer(Code.notFound))
  writeFileSync(join(folder, 'home.psk'), Buffer.from(key).toString('hex'), { mode: 0o600 })
  writeFileSync(
    join(folder, 'client.yaml'),
    `domains:\n${domainSection('isp1', '203.0.113.0/24', isp1.port)}${domainSection('isp2', '198.51.100.0/24', isp2.port)}control: { socket: client.sock }\n`
  )
  client = new DotsProcess(['client', '--config', join(folder, 'client.yaml')])
  await client.ready()
  control = new ControlClient(socketTransport(join(folder, 'client.sock')))
})

afterEach(async () => {
  try {
    // Whatever isp1 did: the client is there, has no bug to report, and isp2 was told nothing of isp1's addresses.
    expect((await control.agent()).role).toBe('client')
    expect(client.log).not.toMatch(/uncaught|unhandled|InternalError|"level":60/i)
    expect(isp2.mitigationRequests(Method.put)).toEqual([])
    expect(isp2.mitigationRequests(Method.delete)).toEqual([])
  } finally {
    await client.stop('SIGKILL')
    await Promise.all([isp1.close(), isp2.close()])
    rmSync(folder, { recursive: true, force: true })
  }
})

async function protect(): Promise<string> {
  const answer = await control.protect({ prefixes: ['203.0.113.7/32'], lifetimeSeconds: 600 })
  if (!answer.accepted) throw new Error('not accepted')
  return answer.protection.id
}

async function reaches(id: string, looks: (view: ProtectionView) => boolean): Promise<ProtectionView> {
  let view: ProtectionView | undefined
  return until(
    async () => {
      view = await control.protection(id)
      return looks(view) ? view : undefined
    },
    () => `it stays ${JSON.stringify(view)}; the log says:\n${client.log}`
  )
}

const midOf = ({ path }: SeenRequest): number => Number(/mid=(\d+)/.exec(path)?.[1])

function grant(mid: number, seconds: Cbor = integer(600)): Cbor {
  return scopes(map([Key.mid, integer(mid)], [Key.lifetime, seconds]))
}

/** A server as it should be. */
const honest: Script = (request, reply) => {
  if (request.method === Method.put) reply.answer(Code.created, grant(midOf(request)), [asDotsCbor])
  else if (request.method === Method.delete) reply.answer(Code.deleted)
  // The list of all, with which a client begins.
  else if (!request.path.includes('mid=')) reply.answer(Code.notFound)
  else
    reply.answer(
      Code.content,
      scopes(map([Key.mid, integer(midOf(request))], [Key.status, integer(2)], lifetime(500))),
      [asDotsCbor]
    )
}

const garbage: readonly Uint8Array[] = [
  Uint8Array.of(0),
  Uint8Array.of(0x40, 0x45, 1),
  Uint8Array.of(0x4f, 0x45, 0, 1),
  Uint8Array.of(0x44, 0x45, 0, 2, 1),
  Uint8Array.of(0x50, 0x45, 0, 3, 0xff),
  Uint8Array.of(0x50, 0xe1, 0, 4),
  Uint8Array.of(0x90, 0x45, 0, 5),
  Uint8Array.of(0x60, 0x03, 0, 6),
  new Uint8Array(1000).fill(0xff)
]

describe('a server that answers wrongly', () => {
  it('with bytes that are no CoAP: the client counts on the next answer', async () => {
    let count = 0
    isp1.script = (request, reply) => {
      if (request.method === Method.put && count++ < 1) for (const bytes of garbage) reply.raw(bytes)
      else honest(request, reply)
    }
    await reaches(await protect(), ({ state }) => state === 'protected')
    expect(isp1.mitigationRequests(Method.put).length).toBeGreaterThan(1)
  })

  it('to what nobody asked: the client still waits for its own answer', async () => {
    let isHonest = false
    isp1.script = (request, reply) => {
      if (request.method !== Method.put || isHonest) return honest(request, reply)
      const body = grant(midOf(request))
      reply.answer(Code.created, body, [asDotsCbor], Uint8Array.of(9, 9, 9, 9))
      reply.answer(Code.created, body, [asDotsCbor], new Uint8Array(0))
      reply.answer(Code.badRequest, undefined, [], Uint8Array.of(1))
      // An Acknowledgement of a message that was not Confirmable, and a Reset of one that there was none of.
      const { token, messageId } = request.message
      reply.raw(
        encodeMessage({
          type: 'acknowledgement',
          code: Code.created,
          messageId,
          token,
          options: [],
          payload: body
        })
      )
      reply.raw(Uint8Array.of(0x70, 0, 0xee, 0xee))
    }
    const id = await protect()
    await until(
      () => (isp1.mitigationRequests(Method.put).length >= 2 ? true : undefined),
      () => 'it took one of these for its answer'
    )
    expect((await control.protection(id)).state).toBe('asking')
    isHonest = true
    await reaches(id, ({ state }) => state === 'protected')
  })

  const bodies: Readonly<Record<string, (mid: number) => Cbor>> = {
    'a body that is no CBOR': () => new Uint8Array(40).fill(0xff),
    'a thousand arrays inside one another': () => new Uint8Array(1000).fill(0x81),
    'an unknown key that must be understood': (mid) =>
      scopes(map([Key.mid, integer(mid)], [100, integer(1)])),
    "another request's mid": (mid) => grant(mid + 1),
    'a lifetime of −5': (mid) => grant(mid, integer(-5)),
    'a lifetime above 32 bits': (mid) => grant(mid, Uint8Array.of(0x1b, 0, 0, 1, 0, 0, 0, 0, 0)),
    'a lifetime in words': (mid) => grant(mid, text('forever')),
    'no scope': () => map([1, map([2, array()])])
  }
  for (const [name, body] of Object.entries(bodies))
    it(`2.01 with ${name}: the client goes on with its own mid and lifetime`, async () => {
      isp1.script = (request, reply) => {
        if (request.method === Method.put) reply.answer(Code.created, body(midOf(request)), [asDotsCbor])
        else honest(request, reply)
      }
      const { requests } = await reaches(await protect(), ({ state }) => state === 'protected')
      const mid = midOf(isp1.mitigationRequests(Method.put)[0] as SeenRequest)
      expect(requests).toMatchObject([{ server: 'isp1', mitigationId: mid }])
      expect(requests[0]?.remainingLifetimeSeconds).toBeLessThanOrEqual(600)
      await until(
        () => isp1.mitigationRequests(Method.get).find((request) => midOf(request) === mid),
        () => 'it does not look after its own mitigation'
      )
    })

  it('with a lifetime of 0: no stream of requests', async () => {
    isp1.script = (request, reply) => {
      if (request.method === Method.put)
        reply.answer(Code.created, grant(midOf(request), integer(0)), [asDotsCbor])
    }
    await protect()
    await until(
      () => (isp1.mitigationRequests(Method.put).length >= 2 ? true : undefined),
      () => 'it does not ask again'
    )
    expectPaced(isp1.mitigationRequests(Method.put), 900)
  })

  it('5.03 for ever, with no time to wait: asked again, but not in a stream, and said to the user', async () => {
    isp1.script = (_request, reply) =>
      reply.answer(Code.serviceUnavailable, Buffer.from('busy'), [uintOption(OptionNumber.maxAge, 0)])
    const id = await protect()
    const { requests } = await reaches(id, ({ state }) => state === 'waiting' || state === 'refused')
    expect(requests[0]?.text).toContain('5.03 busy')
    await until(
      () => (isp1.mitigationRequests(Method.put).length >= 4 ? true : undefined),
      () => 'it does not ask again'
    )
    expectPaced(isp1.mitigationRequests(Method.put), 900)
  })

  it('4.00 with a text that would fool a terminal: refused, in words that are harmless', async () => {
    const nasty = '\u001b[2J\u001b]0;owned\u0007 no\r\n\u202eyes'
    isp1.script = (_request, reply) => reply.answer(Code.badRequest, Buffer.from(nasty))
    const { requests } = await reaches(await protect(), ({ state }) => state === 'refused')
    expect(requests[0]?.text).toContain('4.00')
    expect(requests[0]?.text).not.toMatch(/[\p{C}]/u)
    expect(client.log).not.toContain('\u001b')
  })

  it('4.09 that names the greatest mid there is: the client keeps to numbers that leave room', async () => {
    const greatest = 4_294_967_295
    const overlap = scopes(map([17, map([19, integer(1)], [21, map([Key.mid, integer(greatest)])])]))
    isp1.script = (request, reply) => {
      if (request.method === Method.put) reply.answer(Code.conflict, overlap, [asDotsCbor])
      else reply.answer(Code.content, scopes(map([Key.mid, integer(greatest)], lifetime(500))), [asDotsCbor])
    }
    await reaches(await protect(), ({ requests }) => requests[0]?.state === 'conflict')
    for (const request of isp1.mitigationRequests(Method.put))
      expect(midOf(request)).toBeLessThan(3_221_225_471)
    isp1.script = honest
    await reaches(await protect(), ({ state }) => state === 'protected')
  })

  it('4.09 for every cuid: the client does not try cuids for ever', async () => {
    const collision = scopes(map([17, map([19, integer(3)])]))
    isp1.script = (_request, reply) => reply.answer(Code.conflict, collision, [asDotsCbor])
    await reaches(await protect(), ({ requests }) => requests[0]?.state === 'conflict')
    const asked = isp1.mitigationRequests(Method.put).length
    expect(asked).toBeGreaterThan(1)
    expect(asked).toBeLessThan(20)
  })
})

describe('a server that talks too much', () => {
  it('in garbage and notifications that nobody ordered: the log stays short and the next command is served', async () => {
    isp1.script = (request, reply) => {
      honest(request, reply)
      if (request.method !== Method.put) return
      for (let index = 0; index < 3000; index++) {
        reply.raw(garbage[index % garbage.length] ?? new Uint8Array(0))
        reply.answer(
          Code.content,
          grant(index),
          [asDotsCbor, uintOption(OptionNumber.observe, index)],
          Uint8Array.of(1, 2, 3)
        )
      }
    }
    const id = await protect()
    await reaches(id, ({ state }) => state === 'protected')
    await control.release(id)
    await reaches(id, ({ state }) => state === 'ended')
    expect(client.log.split('\n').length).toBeLessThan(200)
  })
})

describe('a server that does not answer', () => {
  it('is asked again in the rhythm of the RFC, and nobody else in its place', async () => {
    const id = await protect()
    await until(
      () => (isp1.mitigationRequests(Method.put).length >= 3 ? true : undefined),
      () => `${isp1.mitigationRequests(Method.put).length} requests`
    )
    expectPaced(isp1.mitigationRequests(Method.put), 2900)
    expect((await control.protection(id)).state).toBe('asking')
    isp1.script = honest
    await reaches(id, ({ state }) => state === 'protected')
  })

  it('but closes every session: no storm of handshakes', async () => {
    isp1.script = (_request, reply) => reply.close()
    const id = await protect()
    await reaches(id, ({ state }) => state === 'waiting')
    const before = isp1.sessions
    expect(before).toBeLessThanOrEqual(2)
    expect((await control.sessions()).find(({ domain }) => domain === 'isp1')?.state).not.toBe('established')
  })
})

describe('a server that asks', () => {
  it('is told what a client has: heartbeats, and nothing else', async () => {
    isp1.script = (request, reply) => {
      honest(request, reply)
      let messageId = 0x5000
      const ask = (method: number, path: readonly string[], payload: Cbor = new Uint8Array(0)): void =>
        reply.raw(
          encodeMessage({
            type: 'confirmable',
            code: method,
            messageId: messageId++,
            token: Uint8Array.of(messageId & 0xff),
            options: path.map((segment) => stringOption(OptionNumber.uriPath, segment)),
            payload
          })
        )
      ask(Method.get, ['.well-known', 'core'])
      ask(Method.put, ['.well-known', 'dots', 'mitigate', 'cuid=x', 'mid=1'], grant(1))
      ask(Method.get, ['.well-known', 'dots', 'hb'])
      ask(Method.put, ['.well-known', 'dots', 'hb'], head(4, 30))
      ask(Method.put, ['.well-known', 'dots', 'hb'], map([49, map([51, Uint8Array.of(0xf5)])]))
    }
    await reaches(await protect(), ({ state }) => state === 'protected')
    const codes = await until(
      () => {
        const own = isp1.answers.filter(({ messageId }) => messageId >= 0x5000 && messageId < 0x5005)
        return own.length >= 5 ? own.slice(0, 5).map(({ code }) => code) : undefined
      },
      () => `${isp1.answers.length} answers`
    )
    expect(codes).toEqual([
      Code.notFound,
      Code.notFound,
      Code.methodNotAllowed,
      Code.badRequest,
      Code.changed
    ])
  })
})

/** No two of these came closer together than so many milliseconds. */
function expectPaced(requests: readonly SeenRequest[], leastMs: number): void {
  const gaps = requests.slice(1).map(({ at }, index) => at - (requests[index]?.at ?? 0))
  for (const gap of gaps) expect(gap).toBeGreaterThan(leastMs)
}
