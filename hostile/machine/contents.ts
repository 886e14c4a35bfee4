import { Method, OptionNumber, blockOption, stringOption, uintOption, uriPath } from '@breakwater/coap'
import { Seconds, formatIpPrefix } from '@breakwater/core'
import { mitigatePath } from '@breakwater/dots'
import { expect } from 'vitest'
import { Key, concat, head, integer, lifetime, prefixes, requestBody } from '../../e2e/raw-cbor.ts'
import type { Cbor } from '../../e2e/raw-cbor.ts'
import { DOTS_CBOR } from '../../e2e/raw-peer.ts'
import { CUID, cuid, mid } from '../../packages/dots/test/server/server-bed.ts'
import { by, target } from './client-attack.ts'
import type { ClientAttack } from './client-attack.ts'
import type { MachineWorld } from './machine-world.ts'

const own = prefixes('192.0.2.1/32')
const format = uintOption(OptionNumber.contentFormat, DOTS_CBOR)

/** Bodies of which nothing may come. */
function refusedBodies(
  name: string,
  after: string,
  source: string,
  bodies: Readonly<Record<string, Cbor>>
): ClientAttack {
  return by(name, after, source, '4.00', 'refused', (world) => {
    for (const [what, body] of Object.entries(bodies))
      expect(world.codeOf(world.attacker.putBody(1, body)), what).toBe('4.00')
    expectNothingDone(world)
  })
}

function expectNothingDone(world: MachineWorld): void {
  expect(world.plans()).toEqual(['honest/1'])
  expect(world.bed.records.size).toBe(1)
}

const float = (bits: string): Cbor => concat(Uint8Array.of(0xfb), Buffer.from(bits, 'hex'))
const lasting = (value: Cbor): Cbor => requestBody(own, [Key.lifetime, value])

/** What bodies and paths may hold that nobody means well by. */
export const contents: readonly ClientAttack[] = [
  refusedBodies('CBOR as deep as it is long', 'the stack of the server', 'RFC 8949 §10; CVE-2020-28491', {
    arrays: new Uint8Array(1000).fill(0x81),
    maps: new Uint8Array(1000).fill(0xbf),
    tags: concat(head(5, 1), new Uint8Array(1000).fill(0xc6)),
    'below a key that may be ignored': requestBody(own, lifetime(600), [200, new Uint8Array(900).fill(0x9f)])
  }),
  refusedBodies('CBOR that claims to be long', 'memory for what is only promised', 'RFC 8949 §10', {
    pairs: concat(Uint8Array.of(0xbb), new Uint8Array(8).fill(0xff)),
    prefixes: requestBody([Key.targetPrefix, concat(Uint8Array.of(0x9a), new Uint8Array(4).fill(0xff))]),
    text: requestBody([
      Key.targetPrefix,
      concat(head(4, 1), Uint8Array.of(0x7b, 0x7f), new Uint8Array(7).fill(0xff))
    ])
  }),
  refusedBodies(
    'keys twice',
    'a check that looks at one of two values, and a filter that is made of the other',
    'RFC 8949 §5.6; RFC 9132 §6',
    {
      'a foreign target behind its own': requestBody(own, prefixes('198.51.100.1/32'), lifetime(600)),
      'its own behind a foreign target': requestBody(prefixes('198.51.100.1/32'), own, lifetime(600)),
      'two lifetimes': requestBody(own, lifetime(60), lifetime(-1))
    }
  ),
  refusedBodies(
    'numbers that are none',
    'a comparison that is true of nothing, or of everything',
    'IEEE 754; RFC 8949 §3.3; RFC 9132 §5',
    {
      NaN: lasting(float('7ff8000000000000')),
      infinity: lasting(float('7ff0000000000000')),
      'minus infinity': lasting(float('fff0000000000000')),
      '600.0': lasting(float('4082c00000000000')),
      'half of NaN': lasting(Uint8Array.of(0xf9, 0x7e, 0x00)),
      null: lasting(Uint8Array.of(0xf6)),
      undefined: lasting(Uint8Array.of(0xf7)),
      'bignum 600': lasting(Uint8Array.of(0xc2, 0x42, 0x02, 0x58))
    }
  ),
  refusedBodies(
    'lifetimes beyond all ranges',
    'a mitigation that ended before it began, or ends when clocks wrap',
    'RFC 9132 §4.4.1.1, §5.3',
    {
      '-2': lasting(integer(-2)),
      '-2^31': lasting(integer(-2_147_483_648)),
      '-2^64': lasting(concat(Uint8Array.of(0x3b), new Uint8Array(8).fill(0xff))),
      '2^32': lasting(Buffer.from('1b0000000100000000', 'hex')),
      '2^64 - 1': lasting(concat(Uint8Array.of(0x1b), new Uint8Array(8).fill(0xff)))
    }
  ),
  by(
    'names that look like another’s',
    'what another client has asked for, by a cuid that is read in two ways',
    'RFC 9132 §4.4.1.1; RFC 7252 §6.4',
    '4.00, or a cuid of its own',
    'refused',
    (world) => {
      const names = [
        'honest/1',
        'honest\0',
        'honest ',
        'hone\u{301}st',
        'honest%00',
        '../honest',
        '',
        'x'.repeat(97)
      ]
      for (const name of names) {
        const path = uriPath('.well-known', 'dots', 'mitigate', `cuid=${name}`, 'mid=1')
        for (const method of [Method.get, Method.delete, Method.put])
          expect(
            world.codes(world.attacker.request(method, [...path, format])),
            JSON.stringify(name)
          ).toEqual(['4.00'])
      }
      expectNothingDone(world)
      // Another case is another name, and the attacker's own.
      expect(world.codeOf(world.attacker.put(1, target('192.0.2.1/32'), cuid('HONEST')))).toBe('2.01')
      expect(world.codeOf(world.attacker.delete(1, cuid('HONEST')))).toBe('2.02')
    }
  ),
  by(
    'paths that go astray',
    'a resource that nobody meant to offer',
    'RFC 9132 §4.2, §4.4.1.1',
    '4.00 or 4.04',
    'refused',
    (world) => {
      const cases = [
        ['cuid=a', 'cuid=honest', 'mid=1'],
        ['mid=1', 'cuid=honest'],
        ['cuid=a', 'mid=1', 'mid=2'],
        ['cuid=a', 'mid=-1'],
        ['cuid=a', 'mid=01'],
        ['cuid=a', 'mid=1e3'],
        ['cuid=a', 'mid=4294967296'],
        ['cuid=a', 'mid=0x10'],
        ['cuid=a', '..', 'config'],
        ['cuid=a', 'mid=1', ''],
        ['', 'cuid=a'],
        Array.from({ length: 50 }, () => 'a')
      ]
      for (const parameters of cases)
        for (const method of [Method.get, Method.put, Method.delete]) {
          const path = ['.well-known', 'dots', 'mitigate', ...parameters].map((segment) =>
            stringOption(OptionNumber.uriPath, segment)
          )
          expect(world.codes(world.attacker.request(method, path))[0], parameters.join('/')).toMatch(
            /^4\.0[04]$/
          )
        }
      expectNothingDone(world)
    }
  ),
  by(
    'options as long as they may be',
    'memory, or a log line without end',
    'RFC 7252 §3.1, §5.10',
    '4.02 or 4.00; a length of 64 kB in a shorter message: no message',
    { counter: 'dots_server_datagrams_malformed_total' },
    (world) => {
      // Version 1, Non-confirmable, GET, and an Uri-Path of 65,804 bytes that are not there.
      world.attacker.send(Uint8Array.of(0x50, 0x01, 0x12, 0x34, 0xbe, 0xff, 0xff, 0x61))
      for (const number of [OptionNumber.uriPath, OptionNumber.uriQuery, OptionNumber.uriHost])
        for (const length of [256, 1100]) {
          const long = { number, value: new Uint8Array(length).fill(0x61) }
          const code = world.codes(world.attacker.request(Method.get, [long], new Uint8Array(0), true))[0]
          expect(code, `${number} of ${length}`).toMatch(/^4\.0[024]$/)
        }
      // The same with 1,000 of one byte each.
      const queries = Buffer.alloc(2000, Buffer.of(0x01, 0x61))
      world.attacker.send(Buffer.concat([Buffer.of(0x50, 0x01, 0x12, 0x35, 0xd1, 0x02, 0x61), queries]))
      expectNothingDone(world)
    }
  ),
  by(
    'two bodies in one',
    'a body that no check has seen, put together of two',
    'RFC 7959 §2.5, §3.3',
    '4.00: what has been put together is checked as a whole',
    'refused',
    (world) => {
      const mine = requestBody(
        prefixes(...Array.from({ length: 90 }, (_, host) => `192.0.2.${host}/32`)),
        lifetime(600)
      )
      const theirs = requestBody(
        prefixes(...Array.from({ length: 90 }, (_, host) => `198.51.100.${host}/32`)),
        lifetime(600)
      )
      const blockOf = (body: Cbor, number: number): string[] => {
        const part = body.subarray(number * 256, (number + 1) * 256)
        const more = (number + 1) * 256 < body.length
        const block = blockOption(OptionNumber.block1, { number, more, sizeExponent: 4 })
        const path = [...mitigatePath(CUID, mid(1)), format, block]
        return world.codes(world.attacker.request(Method.put, path, part, true))
      }
      const blocks = Math.ceil(theirs.length / 256)
      for (let turn = 1; turn < Math.floor(mine.length / 256); turn++) {
        const codes: string[] = []
        for (let number = 0; number < blocks; number++)
          codes.push(...blockOf(number < turn ? mine : theirs, number))
        expect(codes.at(-1)).toBe('4.00')
        // It is begun again by another one.
        blockOf(theirs, 0)
      }
      const plans = [...world.bed.inForce].filter(([id]) => !String(id).startsWith('honest/'))
      const filtered = plans
        .flatMap(([, plan]) => plan?.target.prefixes ?? [])
        .map((each) => formatIpPrefix(each))
      expect(filtered.filter((each) => !each.startsWith('192.0.2.'))).toEqual([])
    }
  ),
  by(
    'cuid taken in advance',
    'the name of a client that is not there yet: it can be worked out from a certificate that everybody can see',
    'RFC 9132 §4.4.1.1, Appendix B',
    '4.09 (cuid-collision) to the owner, who takes another one and is protected at once',
    'conflict',
    (world) => {
      const late = cuid('late')
      expect(world.codeOf(world.attacker.put(1, target('192.0.2.1/32'), late))).toBe('2.01')
      const victim = world.session('client.other.net')
      const wanted = { targetPrefix: ['198.51.100.9/32'], lifetime: 600 }
      const [answer] = victim.put(1, wanted, late)
      expect(answer?.code).toBe('4.09')
      expect(answer?.body?.mitigationScope?.scope?.[0]?.conflictInformation?.conflictCause).toBe(3)
      expect(world.codes(victim.put(1, wanted, cuid('late-2')))).toEqual(['2.01'])
      expect(world.plans()).toContain('late-2/1')
    }
  ),
  by(
    'Observe with thousands of tokens',
    'memory, and a notification for each',
    'RFC 7641 §4.1; RFC 9132 §4.4.2.1',
    '2.05 to all; 64 are told, by turns',
    { counter: 'dots_server_notifications_total' },
    (world) => {
      const { attacker } = world
      attacker.put(1, target('192.0.2.1/32'))
      for (let copy = 0; copy < 3000; copy++) {
        attacker.observe(1)
        if (copy % 3 === 0) attacker.config([uintOption(OptionNumber.observe, 0)])
        if (copy % 5 === 0) attacker.forget()
        if (copy % 500 === 0) world.bed.advance(Seconds(10))
      }
      expect(world.bed.machine.loads()['coap_observers']).toBeLessThanOrEqual(64)
    }
  )
]
