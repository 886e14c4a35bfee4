import { Milliseconds, WallTime, encodeUtf8, integerBelow } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import type { RememberedOutcomes } from '../../../src/client/connection/outcome-memory.ts'
import { decodeOutcomes, encodeOutcomes } from '../../../src/client/connection/outcome-record.ts'

const AT = WallTime(1_767_225_600_000)

const WHOLE: RememberedOutcomes = {
  situation: '198.51.100.1 wan-a, 2001:db8:a::1 wan-a',
  outcomes: [
    {
      at: AT,
      path: 'udp 2001:db8:a::1 wan-a > 2001:db8:ffff::1 4646',
      outcome: { kind: 'outrun', waited: Milliseconds(540.5) }
    },
    {
      at: AT,
      path: 'udp 198.51.100.1 wan-a > 192.0.2.1 4646',
      outcome: { kind: 'failed', reason: 'timeout' }
    },
    {
      at: AT,
      path: 'tcp 2001:db8:a::1 wan-a > 2001:db8:ffff::1 4646',
      outcome: { kind: 'won', took: Milliseconds(40) }
    },
    { at: AT, path: 'tcp 198.51.100.1 wan-a > 192.0.2.1 4646', outcome: { kind: 'untried' } }
  ]
}

describe('the record of what was learnt of the paths to a server', () => {
  it('comes back as it was written', () => {
    expect(decodeOutcomes(encodeOutcomes(WHOLE))).toEqual(WHOLE)
  })

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"situation":"a"}',
    '{"situation":2,"outcomes":[]}',
    '{"situation":"a","outcomes":[null]}',
    '{"situation":"a","outcomes":[{"at":1,"path":"x"}]}',
    '{"situation":"a","outcomes":[{"at":-1,"path":"x","outcome":{"kind":"untried"}}]}',
    '{"situation":"a","outcomes":[{"at":"1","path":"x","outcome":{"kind":"untried"}}]}',
    '{"situation":"a","outcomes":[{"at":1,"path":7,"outcome":{"kind":"untried"}}]}',
    '{"situation":"a","outcomes":[{"at":1,"path":"x","outcome":{"kind":"won"}}]}',
    '{"situation":"a","outcomes":[{"at":1,"path":"x","outcome":{"kind":"won","took":1e999}}]}',
    '{"situation":"a","outcomes":[{"at":1,"path":"x","outcome":{"kind":"failed","reason":"bad luck"}}]}',
    `{"situation":"a","outcomes":[${Array(257).fill('{"at":1,"path":"x","outcome":{"kind":"untried"}}').join()}]}`
  ])('is nothing when it is %s', (text) => {
    expect(decodeOutcomes(encodeUtf8(text))).toBeUndefined()
  })

  it('never throws, whatever happened to its bytes', () => {
    const chance = seededEntropy(1)
    for (let round = 0; round < 500; round++) {
      const bytes = encodeOutcomes(WHOLE)
      bytes[integerBelow(chance, bytes.length)] = integerBelow(chance, 256)
      decodeOutcomes(
        bytes.subarray(0, integerBelow(chance, 4) === 0 ? integerBelow(chance, bytes.length) : undefined)
      )
    }
    expect(decodeOutcomes(Uint8Array.of(0xff, 0xfe))).toBeUndefined()
  })
})
