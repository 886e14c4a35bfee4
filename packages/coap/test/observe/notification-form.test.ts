import { describe, expect, test } from 'vitest'
import { Code } from '../../src/code.ts'
import { encodeMessage } from '../../src/codec/encode.ts'
import type { CoapOption } from '../../src/message.ts'
import { packToken } from '../../src/message/packed-token.ts'
import { stamp } from '../../src/message/stamp.ts'
import { notificationForm } from '../../src/observe/notification-form.ts'
import { uintOption } from '../../src/option-value.ts'
import { OptionNumber } from '../../src/option.ts'
import type { CoapResponse } from '../../src/session.ts'

const etag = { number: OptionNumber.etag, value: Uint8Array.of(1, 2, 3) }
const format = uintOption(OptionNumber.contentFormat, 271)
const maxAge = uintOption(OptionNumber.maxAge, 60)
const placeholder = uintOption(OptionNumber.observe, 0)

function response(
  options: readonly CoapOption[],
  payload = 'state',
  code: number = Code.content
): CoapResponse {
  return { code, options, payload: new TextEncoder().encode(payload) }
}

function encoded(
  { code, payload }: CoapResponse,
  options: readonly CoapOption[],
  token: Uint8Array
): Uint8Array {
  return encodeMessage({ type: 'confirmable', code, messageId: 0, token, options, payload })
}

describe('the form of a notification', () => {
  const tokens = [0, 1, 4, 5, 8].map((length) => Uint8Array.from({ length }, (_, index) => 0xf8 + index))
  const sequences = [0, 1, 0xff, 0x100, 0xffff, 0x1_0000, 0xff_ffff]
  const cases: [string, readonly CoapOption[], string][] = [
    ['with options on both sides of the number', [etag, format, maxAge], 'state'],
    ['with nothing before it', [format], 'state'],
    ['without payload', [etag], ''],
    ['with nothing at all', [], ''],
    ['with a placeholder for the number', [placeholder, format], 'state'],
    ['with options in any order', [maxAge, placeholder, etag], 'state'],
    ['with a long payload', [format], 'x'.repeat(5000)]
  ]

  test.each(cases)(
    '%s: filled in, it is the message that its observer would get alone',
    (_, options, payload) => {
      const told = response(options, payload)
      const others = options.filter(({ number }) => number !== OptionNumber.observe)
      const filled: [actual: Uint8Array, expected: Uint8Array][] = []
      for (const token of tokens)
        for (const sequence of sequences) {
          const alone = encoded(told, [...others, uintOption(OptionNumber.observe, sequence)], token)
          filled.push([notificationForm(told).fill(packToken(token), sequence), alone])
        }
      // Compared at the end: none may have been overwritten by a later one.
      for (const [actual, expected] of filled) expect(actual).toEqual(expected)
    }
  )

  test('is written in among others, without a touch on them', () => {
    const told = response([format])
    const form = notificationForm(told)
    const token = Uint8Array.of(1, 2)
    const length = form.lengthFor(packToken(token), 300)
    const memory = new Uint8Array(length + 2).fill(0xee)
    form.write(packToken(token), 300, memory, 1)
    stamp(memory, 'confirmable', 0, 1)
    expect(memory.subarray(1, length + 1)).toEqual(
      encoded(told, [uintOption(OptionNumber.observe, 300), format], token)
    )
    expect([memory[0], memory[length + 1]]).toEqual([0xee, 0xee])
  })

  test('of an error has no number', () => {
    const told = response([placeholder, maxAge], 'gone', Code.notFound)
    const token = Uint8Array.of(7)
    expect(notificationForm(told).fill(packToken(token), 5)).toEqual(encoded(told, [maxAge], token))
  })

  test('of what may not be sent is refused', () => {
    expect(() => notificationForm(response([format, format]))).toThrow('option 12 more than once')
  })
})
