import { DecodeError, fromHex, InternalError, toHex } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeFrame, FrameReader, type StreamMessage, uintOption } from '../../src/index.ts'
import { frame, frameLines } from '@breakwater/testing'

const nothing = new Uint8Array(0)

function read(bytes: Uint8Array, maximum = 100_000): StreamMessage[] {
  const reader = new FrameReader(maximum)
  reader.feed(bytes)
  const messages: StreamMessage[] = []
  for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message)
  return messages
}

describe('frames of RFC 8323', () => {
  test.each([
    ['figure 5: 2.03 with a token', '2.03 (7f)', '01437f'],
    ['figure 11: Ping', 'PING (42)', '01e242'],
    ['figure 12: Pong', 'PONG (42)', '01e342'],
    ['an Empty message', 'EMPTY', '0000'],
    ['a CSM', 'CSM #2=0480 #4=', '40e122048020']
  ])('%s', (_, text, hex) => {
    expect(toHex(frame(text))).toBe(hex)
    expect(frameLines(fromHex(hex))).toEqual([text])
  })

  test.each([
    [0, '0'],
    [12, 'c'],
    [13, 'd000'],
    [268, 'd0ff'],
    [269, 'e00000'],
    [65_804, 'e0ffff'],
    [65_805, 'f000000000'],
    [70_000, 'f000001063']
  ])('%i bytes behind the token take a length of %s', (length, head) => {
    // The payload marker counts.
    const payload = new Uint8Array(Math.max(0, length - 1))
    const bytes = encodeFrame({ code: 0x45, token: nothing, options: [], payload })
    expect(toHex(bytes).startsWith(head)).toBe(true)
    expect(bytes.length).toBe(Math.ceil(head.length / 2) + 1 + length)
    expect(read(bytes)).toEqual([{ code: 0x45, token: nothing, options: [], payload }])
  })

  test.each([
    ['a token length of 9', '0945' + '00'.repeat(9), 'COAP_TOKEN_LENGTH_RESERVED'],
    ['a code of class 1', '0020', 'COAP_CODE_RESERVED'],
    ['a code of class 6', '00c0', 'COAP_CODE_RESERVED'],
    ['an option past the end', '1045b5', 'COAP_OPTION_TRUNCATED'],
    ['a marker without payload', '1045ff', 'COAP_PAYLOAD_MISSING'],
    ['a reserved nibble', '1045f0', 'COAP_OPTION_NIBBLE_RESERVED']
  ])('%s is no message', (_, hex, code) => {
    expect(() => read(fromHex(hex))).toThrow(expect.objectContaining({ code }))
  })

  test('a message that is too long is refused by its first bytes', () => {
    const reader = new FrameReader(1152)
    reader.feed(fromHex('f0ffffff00'))
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'COAP_MESSAGE_TOO_LONG' }))
    const fitting = encodeFrame({ code: 0x45, token: nothing, options: [], payload: new Uint8Array(1147) })
    expect(fitting.length).toBe(1152)
    expect(read(fitting, 1152)).toHaveLength(1)
    expect(() => read(fitting, 1151)).toThrow(DecodeError)
  })

  test('what cannot be sent is the caller’s mistake', () => {
    const message = { code: 0x45, token: nothing, options: [], payload: nothing }
    for (const wrong of [
      { ...message, code: 0x20 },
      { ...message, code: 0xc1 },
      { ...message, code: 256 },
      { ...message, token: new Uint8Array(9) },
      { ...message, options: [{ number: 65_536, value: nothing }] }
    ])
      expect(() => encodeFrame(wrong)).toThrow(InternalError)
  })

  test('a stream that comes in any pieces gives the same messages', () => {
    const message = fc.record({
      code: fc.constantFrom(1, 3, 0x44, 0x45, 0xe1, 0xe2),
      token: fc.uint8Array({ maxLength: 8 }),
      options: fc
        .array(fc.nat(3000), { maxLength: 4 })
        .map((numbers) => numbers.toSorted((a, b) => a - b).map((number) => uintOption(number, number))),
      payload: fc.uint8Array({ maxLength: 400 })
    })
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }),
        (messages, cuts) => {
          const stream = Buffer.concat(messages.map((one) => encodeFrame(one)))
          const reader = new FrameReader(2000)
          const got: StreamMessage[] = []
          for (let at = 0, turn = 0; at < stream.length; turn++) {
            const end = Math.min(stream.length, at + (cuts[turn % cuts.length] ?? 1))
            reader.feed(stream.subarray(at, end))
            at = end
            for (let next = reader.next(); next !== undefined; next = reader.next()) got.push(next)
          }
          expect(got).toEqual(messages)
          expect(reader.waiting).toBe(0)
        }
      )
    )
  })

  test('messages stay as they are when the buffer is used again', () => {
    const reader = new FrameReader(2000)
    reader.feed(frame('2.05 (aa) "first"'))
    const first = reader.next()
    reader.feed(frame('2.05 (bb) "other"'))
    reader.next()
    expect(Buffer.from(first?.payload ?? []).toString()).toBe('first')
  })
})
