import { DecodeError } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage, encodeMessage } from '../../src/index.ts'
import type { CoapMessage, MessageType } from '../../src/index.ts'

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })

const requestCode = fc.integer({ min: 1, max: 31 })
const responseCode = fc.integer({ min: 0x40, max: 0xbf })
const codes: Readonly<Record<Exclude<MessageType, 'reset'>, fc.Arbitrary<number>>> = {
  confirmable: fc.oneof(requestCode, responseCode),
  'non-confirmable': fc.oneof(requestCode, responseCode),
  acknowledgement: responseCode
}

const option = fc.record({
  number: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 65_535 })),
  value: fc.oneof(bytes(16), bytes(300))
})

const messageId = fc.integer({ min: 0, max: 65_535 })

const full: fc.Arbitrary<CoapMessage> = fc
  .constantFrom<Exclude<MessageType, 'reset'>>('confirmable', 'non-confirmable', 'acknowledgement')
  .chain((type) =>
    fc.record({
      type: fc.constant(type),
      code: codes[type],
      messageId,
      token: bytes(8),
      options: fc.array(option, { maxLength: 12 }).map((all) => all.toSorted((a, b) => a.number - b.number)),
      payload: bytes(64)
    })
  )

const empty: fc.Arbitrary<CoapMessage> = fc.record({
  type: fc.constantFrom<MessageType>('confirmable', 'acknowledgement', 'reset'),
  code: fc.constant(0),
  messageId,
  token: fc.constant(new Uint8Array(0)),
  options: fc.constant([]),
  payload: fc.constant(new Uint8Array(0))
})

const message = fc.oneof({ arbitrary: full, weight: 9 }, { arbitrary: empty, weight: 1 })

/** Bytes that are a message, or a DecodeError of ours; and a message survives being written again. */
function judge(datagram: Uint8Array): 'message' | 'refused' {
  let decoded: CoapMessage
  try {
    decoded = decodeMessage(datagram)
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
    expect((error as DecodeError).code).toMatch(/^COAP_/)
    return 'refused'
  }
  expect(decodeMessage(encodeMessage(decoded))).toEqual(decoded)
  return 'message'
}

describe('the codec', () => {
  test('reads what it wrote', () => {
    fc.assert(
      fc.property(message, (given) => {
        expect(decodeMessage(encodeMessage(given))).toEqual(given)
      })
    )
  })

  test('sorts what was given in any order', () => {
    fc.assert(
      fc.property(full, fc.array(option, { maxLength: 12 }), (given, options) => {
        const decoded = decodeMessage(encodeMessage({ ...given, options }))
        expect(decoded.options).toEqual(options.toSorted((a, b) => a.number - b.number))
      })
    )
  })

  test('random bytes are a message or refused', () => {
    fc.assert(
      fc.property(bytes(40), (datagram) => void judge(datagram)),
      { numRuns: 1000 }
    )
  })

  test('random bytes behind a good header are a message or refused', () => {
    const outcomes = new Set<string>()
    fc.assert(
      fc.property(bytes(24), (rest) => {
        outcomes.add(judge(Uint8Array.of(0x42, 1, 0, 1, ...rest)))
      }),
      { numRuns: 1000 }
    )
    expect(outcomes).toEqual(new Set(['message', 'refused']))
  })

  test('a message with wounds is a message or refused', () => {
    const wound = fc.record({ at: fc.nat(400), value: fc.integer({ min: 0, max: 255 }) })
    fc.assert(
      fc.property(
        message,
        fc.array(wound, { minLength: 1, maxLength: 4 }),
        fc.nat(400),
        (given, wounds, end) => {
          const datagram = encodeMessage(given)
          for (const { at, value } of wounds) if (at < datagram.length) datagram[at] = value
          judge(datagram.subarray(0, end))
          judge(datagram)
        }
      ),
      { numRuns: 500 }
    )
  })
})
