import { InternalError, toHex } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { encodeMessage, MAXIMUM_OPTIONS } from '../../src/index.ts'
import type { CoapMessage } from '../../src/index.ts'

const nothing = new Uint8Array(0)

function get(change: Partial<CoapMessage> = {}): CoapMessage {
  return {
    type: 'confirmable',
    code: 1,
    messageId: 1,
    token: nothing,
    options: [],
    payload: nothing,
    ...change
  }
}

function option(number: number, ...value: readonly number[]): { number: number; value: Uint8Array } {
  return { number, value: Uint8Array.from(value) }
}

describe('encodeMessage', () => {
  test('says version 1 [RFC7252-3-M01]', () => {
    expect(toHex(encodeMessage(get()))).toBe('40010001')
    expect(toHex(encodeMessage(get({ type: 'reset', code: 0 })))).toBe('70000001')
    expect(toHex(encodeMessage(get({ type: 'acknowledgement', code: 0x45 })))).toBe('60450001')
    expect(toHex(encodeMessage(get({ type: 'non-confirmable', messageId: 0xfffe })))).toBe('5001fffe')
  })

  test('puts options in order of their numbers and keeps equal ones as given [RFC7252-3.1-M01]', () => {
    const options = [option(60, 6), option(11, 1), option(3, 3), option(11, 2), option(1)]
    expect(toHex(encodeMessage(get({ options })))).toBe(
      ['40010001', '10', '2103', '8101', '0102', 'd12406'].join('')
    )
  })

  test('leaves the array that it was given as it was', () => {
    const options = [option(5), option(1)]
    encodeMessage(get({ options }))
    expect(options.map(({ number }) => number)).toEqual([5, 1])
  })

  test.each([
    [12, 'c0'],
    [13, 'd000'],
    [268, 'd0ff'],
    [269, 'e00000'],
    [65_535, 'e0fef2']
  ])('writes a delta of %i', (number, hex) => {
    expect(toHex(encodeMessage(get({ options: [option(number)] })))).toBe(`40010001${hex}`)
  })

  test.each([
    [12, '1c'],
    [13, '1d00'],
    [268, '1dff'],
    [269, '1e0000'],
    [1034, '1e02fd']
  ])('writes a length of %i', (length, hex) => {
    const bytes = encodeMessage(get({ options: [{ number: 1, value: new Uint8Array(length) }] }))
    expect(toHex(bytes.subarray(4))).toBe(hex + '00'.repeat(length))
  })

  test('writes the marker only before a payload', () => {
    expect(toHex(encodeMessage(get({ token: Uint8Array.of(9), payload: Uint8Array.of(1, 2) })))).toBe(
      '4101000109ff0102'
    )
  })

  const unsendable: readonly (readonly [string, Partial<CoapMessage>])[] = [
    ['a token of 9 bytes', { token: new Uint8Array(9) }],
    ['a Message ID above 65535', { messageId: 65_536 }],
    ['a negative Message ID', { messageId: -1 }],
    ['a code of class 1', { code: 0x20 }],
    ['a code of class 7', { code: 0xff }],
    ['a code that is no byte', { code: 256 }],
    ['a code that is no integer', { code: 1.5 }],
    ['a Reset with a code', { type: 'reset' }],
    ['an Acknowledgement with a request', { type: 'acknowledgement' }],
    ['an Empty Non-confirmable message', { type: 'non-confirmable', code: 0 }],
    ['an Empty message with a payload', { code: 0, payload: Uint8Array.of(1) }],
    ['an option number above 65535', { options: [option(65_536)] }],
    ['a negative option number', { options: [option(-1)] }],
    ['too many options', { options: Array.from({ length: MAXIMUM_OPTIONS + 1 }, () => option(11)) }],
    ['too many bytes', { payload: new Uint8Array(16_384) }]
  ]
  test.each(unsendable)('refuses %s', (_, change) => {
    expect(() => encodeMessage(get(change))).toThrow(
      expect.objectContaining({ code: 'COAP_MESSAGE_UNSENDABLE' }) as Error
    )
    expect(() => encodeMessage(get(change))).toThrow(InternalError)
  })

  test('an Empty message has no token and nothing after its Message ID [RFC7252-4.1-M01]', () => {
    expect(toHex(encodeMessage(get({ code: 0 })))).toBe('40000001')
    expect(() => encodeMessage(get({ code: 0, token: Uint8Array.of(1) }))).toThrow(InternalError)
    expect(() => encodeMessage(get({ code: 0, options: [option(1)] }))).toThrow(InternalError)
  })
})
