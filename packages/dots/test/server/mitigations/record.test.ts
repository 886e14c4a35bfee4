import { BreakwaterError, WallTime, ipv4, ipv6, prefixOf } from '@breakwater/core'
import { prefix } from '@breakwater/testing'
import { plainRequest } from '@breakwater/dots'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mitigationKey } from '../../../src/server/mitigations/mitigation.ts'
import { decodeRecord, encodeRecord } from '../../../src/server/mitigations/record.ts'
import type { MitigationRecord } from '../../../src/server/mitigations/record.ts'
import { parseTargetUri } from '../../../src/signal/target-uri.ts'
import { CUID, mid } from '../server-bed.ts'

const RECORD: MitigationRecord = {
  cuid: CUID,
  id: mid(7),
  principal: { domain: 'example', owner: 'dns:client.example.net' },
  requested: plainRequest({
    prefixes: [prefix('192.0.2.0/24'), prefix('2001:db8::7/128')],
    ports: [{ lower: 80, upper: 443 }],
    protocols: [6, 17]
  }),
  resolved: [],
  trigger: 'immediate',
  standing: 'in-force',
  startedAt: WallTime(1_767_225_600_123),
  expiresAt: WallTime(1_767_229_200_123),
  graceSeconds: 120
}
const KEY = mitigationKey(RECORD.cuid, RECORD.id)

const URIS = ['https://www.example.net/', 'coap://[2001:db8::7]:1234/x'].map((text) => {
  const uri = parseTargetUri(text, 'test')
  if (!uri.ok) throw new Error(text)
  return uri.value
})

/** What version 1 wrote of `RECORD`. */
const VERSION_1 =
  '01004279b76daa87b0004279b771196fb0000000000000000000007800076578616d706c650016646e733a636c69656e742e6578616d706c652e6e657400020418c0000200068020010db80000000000000000000000070001005001bb00020611'

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

function codeOf(decode: () => unknown): string {
  try {
    decode()
    return ''
  } catch (error) {
    if (error instanceof BreakwaterError) return error.code
    throw error
  }
}

describe('records of mitigations', () => {
  it('come back as they were written', () => {
    expect(decodeRecord(KEY, encodeRecord(RECORD))).toEqual(RECORD)
    const indefinite: MitigationRecord = { ...RECORD, expiresAt: 'never' }
    expect(decodeRecord(KEY, encodeRecord(indefinite))).toEqual(indefinite)
    const terminating: MitigationRecord = { ...RECORD, terminatingUntil: WallTime(1_767_225_700_000) }
    expect(decodeRecord(KEY, encodeRecord(terminating))).toEqual(terminating)
  })

  it('come back as they were written, whatever is in them', () => {
    const prefixes = fc.oneof(
      fc.tuple(fc.nat(), fc.nat(32)).map(([a, length]) => prefixOf(ipv4(a), length)),
      fc.tuple(fc.nat(), fc.nat(), fc.nat(128)).map(([a, d, length]) => prefixOf(ipv6(a, 0, 1, d), length))
    )
    const port = fc.nat(65_535)
    const ports = fc.tuple(port, port).map(([a, b]) => ({ lower: Math.min(a, b), upper: Math.max(a, b) }))
    const record = fc.record({
      requested: fc.record({
        prefixes: fc.array(prefixes, { minLength: 1, maxLength: 40 }),
        ports: fc.array(ports),
        protocols: fc.array(fc.nat(255)),
        names: fc.array(fc.constantFrom('a.example', 'www.example.net')),
        uris: fc.array(fc.constantFrom(...URIS))
      }),
      resolved: fc.array(prefixes),
      trigger: fc.constantFrom('immediate' as const, 'signal-loss' as const),
      standing: fc.constantFrom('in-force' as const, 'armed' as const, 'inactive' as const),
      principal: fc.record({
        domain: fc.string({ unit: 'grapheme' }),
        owner: fc.string({ unit: 'grapheme' })
      }),
      startedAt: fc.nat().map(WallTime),
      expiresAt: fc.nat().map(WallTime),
      graceSeconds: fc.nat(300)
    })
    fc.assert(
      fc.property(record, (some) => {
        const whole = { ...RECORD, ...some }
        expect(decodeRecord(KEY, encodeRecord(whole))).toEqual(whole)
      })
    )
  })

  it('of version 1, which knew neither names nor preconfigured requests, are read', () => {
    expect(decodeRecord(KEY, fromHex(VERSION_1))).toEqual(RECORD)
    const terminating = fromHex(VERSION_1)
    terminating[1] = 4
    expect(codeOf(() => decodeRecord(KEY, terminating))).toBe('DOTS_SERVER_RECORD_INVALID')
  })

  it('are refused when cut off anywhere, or with something behind them', () => {
    const whole = encodeRecord(RECORD)
    for (let length = 0; length < whole.length; length++)
      expect(codeOf(() => decodeRecord(KEY, whole.subarray(0, length)))).toMatch(/^DOTS_SERVER_RECORD_/)
    expect(codeOf(() => decodeRecord(KEY, Uint8Array.of(...whole, 0)))).toBe('DOTS_SERVER_RECORD_INVALID')
  })

  it('are refused when they are of another version', () => {
    const next = encodeRecord(RECORD)
    next[0] = 3
    expect(codeOf(() => decodeRecord(KEY, next))).toBe('DOTS_SERVER_RECORD_VERSION_UNKNOWN')
  })

  it.each(['', 'x', 'x/', '/7', `${CUID}/07`, `${CUID}/4294967296`, `${CUID}/7/8`, 'a b/7'])(
    'are refused under the key %j',
    (key) => {
      expect(codeOf(() => decodeRecord(key, encodeRecord(RECORD)))).toBe('DOTS_SERVER_RECORD_KEY_INVALID')
    }
  )

  it('with any byte changed are refused with a code, or read as a valid record; never a crash', () => {
    const whole = encodeRecord(RECORD)
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const wounded = whole.slice()
        wounded[at] = value
        const code = codeOf(() => {
          const { prefixes, names, uris } = decodeRecord(KEY, wounded).requested
          expect(prefixes.length + names.length + uris.length).toBeGreaterThan(0)
        })
        expect(code === '' || code.startsWith('DOTS_SERVER_RECORD_')).toBe(true)
      }),
      { numRuns: 500 }
    )
  })
})
