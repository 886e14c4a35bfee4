import { Code, OptionNumber, blockOption, uintOption } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import { expect } from 'vitest'
import type { Attack, Family, Trace } from '../attack.ts'
import { PUT, dotsCbor } from './association-world.ts'
import type { AssociationWorld } from './association-world.ts'
import { abuseOverTcp } from './over-tcp.ts'

type ServerAttack = Attack<AssociationWorld>

const by = (
  name: string,
  after: string,
  source: string,
  answer: string,
  run: ServerAttack['run'],
  trace: Trace = { none: 'the client goes on' }
): ServerAttack => ({ name, who: 'server', after, source, answer, trace, run })

const refusedRedirect: Trace = { event: 'session.redirect-refused' }

const redirects: readonly ServerAttack[] = [
  by(
    'redirects in a circle',
    'a client that is busy with handshakes while it is attacked',
    'RFC 9132 §4.6',
    'the second redirect to where it came from is not followed',
    (world) => {
      for (let round = 0; round < 30; round++) {
        world.redirect(world.put, round % 2 === 0 ? 'a.example' : 'b.example', ['192.0.2.77'])
        world.pass(Seconds(2))
        world.feed({ kind: 'established', connection: world.connection })
        world.pass(Seconds(10))
      }
      expect(world.destinations.length).toBeLessThan(12)
    },
    refusedRedirect
  ),
  by(
    'redirect to another domain’s server',
    'targets told to a provider that they are none of the business of',
    'RFC 9284 §5.1; RFC 9132 §4.6',
    'not followed',
    (world) => {
      world.redirect(world.put, 'dots.isp-b.example', ['192.0.2.129'])
      world.pass(Seconds(5))
      for (const each of world.destinations) expect(each).not.toMatch(/isp-b|192\.0\.2\.129/)
    },
    refusedRedirect
  ),
  ...['127.0.0.1', '::1', '0.0.0.0', '224.0.0.1', '255.255.255.255'].map((address) =>
    by(
      `redirect to ${address}`,
      'requests to the client’s own host, or to everybody',
      'RFC 9132 §4.6, §11',
      'no session there',
      (world) => {
        world.redirect(world.put, 'inside.example', [address])
        world.pass(Seconds(5))
        expect(world.destinations).toHaveLength(1)
        expect(world.destinations.filter((each) => each.endsWith(` ${address}`))).toEqual([])
      },
      refusedRedirect
    )
  ),
  by(
    'redirect for ever to nobody',
    'a client that waits for a server that does not exist',
    'RFC 9132 §4.6',
    'back to its own server',
    (world) => {
      const [home = ''] = world.destinations
      world.redirect(world.put, 'nobody.example', ['192.0.2.66'], 4_294_967_295)
      for (let attempt = 0; attempt < 20; attempt++) {
        world.pass(Seconds(30))
        if (world.destinations.at(-1) === home) break
        world.feed({ kind: 'failed', connection: world.connection, reason: 'timeout' })
      }
      expect(world.destinations.at(-1)).toBe(home)
    }
  )
]

const refusals: readonly ServerAttack[] = [
  by(
    '5.03 for ever',
    'a stream of requests from the client',
    'RFC 7252 §5.9.3.4; RFC 9132 §4.4.1',
    'asked again once in a second at most, and told to the operator',
    (world) => {
      world.keepSaying(600, (request) =>
        world.reply(request, Code.serviceUnavailable, Buffer.from('busy'), [
          uintOption(OptionNumber.maxAge, 0)
        ])
      )
      expect(world.requests(PUT).length).toBeLessThanOrEqual(601)
      expect(world.requests(PUT).length).toBeGreaterThan(2)
    }
  ),
  by(
    'every code there is',
    'a state that nobody thought of',
    'RFC 7252 §5.9',
    'asked again, or told to the operator',
    (world) => {
      let code = 0x40
      world.keepSaying(400, (request) => {
        code = code >= 0xbf ? 0x40 : code + 1
        world.reply(request, code, new Uint8Array(0), [])
      })
      expect(world.heard.length).toBeLessThan(800)
    }
  ),
  by(
    'lifetime 0 in a grant',
    'a refresh in every round trip',
    'RFC 9132 §4.4.1.1',
    'no stream of refreshes',
    (world) => {
      world.keepSaying(
        300,
        (request) => world.answer(request, Code.created, { mid: request.mitigationId ?? 0, lifetime: 0 }),
        PUT
      )
      expect(world.requests(PUT).length).toBeLessThan(310)
    }
  ),
  by(
    'conflict with a retry-timer of years',
    'a client that gives up',
    'RFC 9132 §4.4.1.3',
    'waited for under that request, and nothing else',
    (world) => {
      const body = encodeSignal({
        mitigationScope: {
          scope: [
            {
              mid: world.put.mitigationId ?? 0,
              conflictInformation: { conflictStatus: 1, conflictCause: 1, retryTimer: 4_294_967_295 }
            }
          ]
        }
      })
      world.reply(world.put, Code.conflict, body, [dotsCbor])
      world.pass(Seconds(600))
      expect(world.requests(PUT).length).toBeLessThan(10)
    }
  ),
  by(
    'conflict over what the client never asked for',
    'a look at the targets of others, or a withdrawal of one’s own',
    'RFC 9132 §4.4.1.3',
    'nothing is withdrawn',
    (world) => {
      const body = encodeSignal({
        mitigationScope: {
          scope: [
            {
              mid: 4_000_000_000,
              conflictInformation: {
                conflictStatus: 2,
                conflictCause: 1,
                conflictScope: { targetPrefix: ['203.0.113.0/24', '0.0.0.0/0'] }
              }
            }
          ]
        }
      })
      world.reply(world.put, Code.conflict, body, [dotsCbor])
      world.pass(Seconds(60))
      expect(world.requests('DELETE')).toEqual([])
    }
  )
]

/** A mitigation that is in force, and the request that observes it. */
function inForce(world: AssociationWorld): void {
  world.grant(3600)
  world.pass(Seconds(5))
}

const notifications: readonly ServerAttack[] = [
  by(
    'notification of what nobody observes',
    'a state that is not so',
    'RFC 7641 §4.2; RFC 9132 §4.4.2.1',
    'ignored, or rejected by Reset',
    (world) => {
      inForce(world)
      const gone = encodeSignal({ mitigationScope: { scope: [{ mid: 1, lifetime: 0, status: 6 }] } })
      for (let copy = 0; copy < 500; copy++)
        world.tell(
          Code.content,
          Uint8Array.of(9, copy >> 8, copy & 255),
          [uintOption(OptionNumber.observe, copy), dotsCbor],
          gone
        )
      world.pass(Seconds(10))
      expect(world.requests('DELETE')).toEqual([])
    }
  ),
  by(
    'status that flips',
    'a request for each of a thousand changes',
    'RFC 9132 §4.4.2, §4.4',
    'no more than the pacing allows',
    (world) => {
      inForce(world)
      const observing = world.last('GET')
      const before = world.sent
      for (let copy = 0; copy < 1000; copy++)
        world.notify(observing, copy, {
          mid: world.put.mitigationId ?? 0,
          lifetime: copy % 2 === 0 ? 0 : 3600,
          status: 1 + (copy % 8)
        })
      world.pass(Seconds(60))
      expect(world.sent - before).toBeLessThan(1100)
      expect(world.requests(PUT).length).toBeLessThan(60)
    }
  ),
  by(
    'news of somebody else’s mid',
    'requests for mitigations that are not one’s own',
    'RFC 9132 §4.4.2',
    'nothing is asked for, nothing withdrawn beyond what bears the client’s cuid',
    (world) => {
      inForce(world)
      const observing = world.last('GET')
      for (let copy = 0; copy < 200; copy++)
        world.notify(observing, copy, {
          mid: 5_000_000 + copy,
          lifetime: 3600,
          status: 2,
          targetPrefix: ['203.0.113.0/24']
        })
      world.pass(Seconds(60))
      expect(world.requests(PUT).length).toBeLessThan(5)
    }
  ),
  by(
    'answers under wrong tokens',
    'an answer that passes for another',
    'RFC 7252 §5.3.2',
    'ignored; the client asks again',
    (world) => {
      const asked = world.requests(PUT).length
      const body = encodeSignal({
        mitigationScope: { scope: [{ mid: world.put.mitigationId ?? 0, lifetime: 3600 }] }
      })
      for (let copy = 0; copy < 500; copy++)
        world.tell(Code.created, Uint8Array.of(copy >> 8, copy & 255), [dotsCbor], body)
      world.tell(Code.created, new Uint8Array(0), [dotsCbor], body)
      world.pass(Seconds(7))
      expect(world.requests(PUT).length).toBeGreaterThan(asked)
    }
  )
]

const range = (value: number): { minValue: number; maxValue: number; currentValue: number } => ({
  minValue: value,
  maxValue: value,
  currentValue: value
})

const bodies: readonly ServerAttack[] = [
  by(
    'answer without end',
    'memory, block after block',
    'RFC 7959 §2.4; RFC 7252 §11.1',
    'the transfer is given up',
    (world) => {
      let blocks = 0
      world.keepSaying(300, (request) => {
        blocks++
        const block = blockOption(OptionNumber.block2, { number: blocks - 1, more: true, sizeExponent: 6 })
        world.reply(request, Code.content, new Uint8Array(1024), [dotsCbor, block])
      })
      expect(blocks).toBeLessThan(400)
    }
  ),
  by(
    'ETag that flips',
    'a body of parts that do not belong together, or one that is asked for without end',
    'RFC 7959 §2.4',
    'given up',
    (world) => {
      let blocks = 0
      world.keepSaying(300, (request) => {
        const tag = { number: OptionNumber.etag, value: Uint8Array.of(blocks++ & 255) }
        const block = blockOption(OptionNumber.block2, { number: blocks % 3, more: true, sizeExponent: 6 })
        world.reply(request, Code.content, new Uint8Array(1024), [tag, dotsCbor, block])
      })
      expect(blocks).toBeLessThan(600)
    }
  ),
  by(
    'garbage',
    'a crash, or a log that fills the disk',
    'RFC 7252 §4.2, §11.1',
    'silence or Reset',
    (world) => {
      for (let copy = 0; copy < 2000; copy++)
        world.say(Uint8Array.from({ length: copy % 40 }, (_, at) => (copy * 31 + at * 7) & 255))
      world.pass(Seconds(5))
      expect(world.sent).toBeLessThan(2100)
    }
  ),
  by(
    'configuration that is outside all ranges',
    'heartbeats without pause, or none for ever',
    'RFC 9132 §4.5',
    'the client keeps to what it can accept',
    (world) => {
      for (const value of [0, 1, 65_535]) {
        const set = {
          heartbeatInterval: range(value),
          missingHbAllowed: range(value),
          maxRetransmit: range(value)
        }
        const body = encodeSignal({ signalConfig: { mitigatingConfig: set, idleConfig: set } })
        world.keepSaying(
          120,
          (request) =>
            world.reply(request, Code.content, body, [dotsCbor, uintOption(OptionNumber.maxAge, 0)]),
          'GET /.well-known/dots/config'
        )
      }
      expect(world.sent).toBeLessThan(800)
    }
  )
]

const endings: readonly ServerAttack[] = [
  by(
    'session that is closed each time',
    'a storm of handshakes',
    'RFC 9132 §4.3, §11',
    'growing pauses between handshakes',
    (world) => {
      for (let second = 0; second < 600; second++) {
        if (world.outputs.at(-1)?.kind === 'connect') {
          world.feed({ kind: 'established', connection: world.connection })
          world.hangUp()
        } else if (second === 0) world.hangUp()
        world.pass(Seconds(1))
      }
      expect(world.destinations.length).toBeLessThan(200)
    }
  ),
  by(
    'silence',
    'a client that asks without pause, or gives up',
    'RFC 9132 §4.4, §4.7',
    'asked again every 3 s at most, and never given up',
    (world) => {
      world.pass(Seconds(300))
      expect(world.requests(PUT).length).toBeLessThanOrEqual(101)
      expect(world.requests(PUT).length).toBeGreaterThan(2)
    }
  )
]

/** Servers that the operator has configured, and that do not do what they should. */
export const serversAtTheClient: Family<AssociationWorld> = {
  title: 'Servers',
  against: 'what a client has of one server (session, requests, redirection), in virtual time',
  attacks: [...redirects, ...refusals, ...notifications, ...bodies, ...endings, ...abuseOverTcp]
}
