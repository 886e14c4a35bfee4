import { DecodeError, encodeUtf8, fromHex } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { decodeMessage, MAXIMUM_MESSAGE_BYTES, MAXIMUM_OPTIONS } from '../../src/index.ts'

/** The code of the error that these bytes cause. */
function faultOf(hex: string): string {
  return faultOfBytes(fromHex(hex))
}

function faultOfBytes(bytes: Uint8Array): string {
  try {
    decodeMessage(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return error.code
    throw error
  }
  return 'none'
}

describe('decodeMessage', () => {
  test('reads header, token, options and payload', () => {
    // RFC 7252 figure 17 with a payload.
    expect(decodeMessage(fromHex('41017d3520bb74656d7065726174757265ff3232'))).toEqual({
      type: 'confirmable',
      code: 1,
      messageId: 0x7d35,
      token: Uint8Array.of(0x20),
      options: [{ number: 11, value: encodeUtf8('temperature') }],
      payload: Uint8Array.of(0x32, 0x32)
    })
  })

  test.each([
    ['40010001', 'confirmable'],
    ['50010001', 'non-confirmable'],
    ['60450001', 'acknowledgement'],
    ['70000001', 'reset']
  ])('reads the type of %s', (hex, type) => {
    expect(decodeMessage(fromHex(hex)).type).toBe(type)
  })

  test('adds deltas of one nibble, one byte and two bytes', () => {
    const { options } = decodeMessage(fromHex(['40010001', '10', 'd000', 'e00000'].join('')))
    expect(options.map(({ number }) => number)).toEqual([1, 14, 283])
  })

  test('reads lengths of one nibble, one byte and two bytes', () => {
    const hex = `400100011c${'aa'.repeat(12)}0d00${'bb'.repeat(13)}0e0000${'cc'.repeat(269)}`
    expect(decodeMessage(fromHex(hex)).options.map(({ value }) => value.length)).toEqual([12, 13, 269])
  })

  test('nothing of the message is a view on the datagram, also within a larger buffer', () => {
    const buffer = fromHex(['0000', '4101000107', '1199', 'ff55', '00'].join(''))
    const message = decodeMessage(buffer.subarray(2, 11))
    buffer.fill(0x77)
    expect(message.options[0]?.value).toEqual(Uint8Array.of(0x99))
    expect(message.token).toEqual(Uint8Array.of(7))
    expect(message.payload).toEqual(Uint8Array.of(0x55))
  })

  test('takes what a Buffer of Node is made of', () => {
    expect(decodeMessage(Buffer.from('4101000107ff55', 'hex')).payload).toEqual(Uint8Array.of(0x55))
  })

  test.each(['', '40', '4001', '400100'])('a header of "%s" is too short', (hex) => {
    expect(faultOf(hex)).toBe('COAP_HEADER_TRUNCATED')
  })

  test.each([0x00, 0x80, 0xc0])('version bits %i are unknown', (bits) => {
    expect(faultOfBytes(Uint8Array.of(bits, 1, 0, 1))).toBe('COAP_VERSION_UNKNOWN')
  })

  test.each([9, 10, 11, 12, 13, 14, 15])('token length %i is reserved [RFC7252-3-M03]', (length) => {
    const bytes = new Uint8Array(64)
    bytes.set([0x40 | length, 1, 0, 1])
    expect(faultOfBytes(bytes)).toBe('COAP_TOKEN_LENGTH_RESERVED')
  })

  test('a token of 8 bytes is the longest', () => {
    expect(decodeMessage(fromHex('480100010102030405060708')).token).toHaveLength(8)
  })

  test('a message that ends within its token', () => {
    expect(faultOf('4401000101')).toBe('COAP_TOKEN_TRUNCATED')
  })

  test('a marker without payload is a format error [RFC7252-3-M04]', () => {
    expect(faultOf('40010001ff')).toBe('COAP_PAYLOAD_MISSING')
    expect(faultOf('4001000111aaff')).toBe('COAP_PAYLOAD_MISSING')
  })

  test('a delta of 15 without the length of a marker is a format error [RFC7252-3.1-M02]', () => {
    for (let length = 0; length < 15; length++)
      expect(faultOfBytes(Uint8Array.of(0x40, 1, 0, 1, 0xf0 | length, ...new Uint8Array(300)))).toBe(
        'COAP_OPTION_NIBBLE_RESERVED'
      )
  })

  test('an option length of 15 is a format error [RFC7252-3.1-M03]', () => {
    for (let delta = 0; delta < 15; delta++)
      expect(faultOfBytes(Uint8Array.of(0x40, 1, 0, 1, (delta << 4) | 15, ...new Uint8Array(300)))).toBe(
        'COAP_OPTION_NIBBLE_RESERVED'
      )
  })

  test.each(['12aa', '1d', '1d00aa', '1e00', '1e0000aa', 'd0', 'e0', 'e000', 'dd00'])(
    'options "%s" run over the end',
    (hex) => {
      expect(faultOf(`40010001${hex}`)).toBe('COAP_OPTION_TRUNCATED')
    }
  )

  test('option numbers end at 65535', () => {
    expect(decodeMessage(fromHex('40010001e0fef2')).options[0]?.number).toBe(65_535)
    expect(faultOf('40010001e0fef3')).toBe('COAP_OPTION_NUMBER_TOO_HIGH')
  })

  test.each(['4100000101', '4000000110', '40000001ff01', '6000000100'])(
    '%s is Empty and goes on after its Message ID [RFC7252-4.1-M02]',
    (hex) => {
      expect(faultOf(hex)).toBe('COAP_EMPTY_NOT_EMPTY')
    }
  )

  test('an Empty message with a token length is a format error though the token is missing', () => {
    expect(faultOf('41000001')).toBe('COAP_TOKEN_TRUNCATED')
  })

  test('code classes 1, 6 and 7 are reserved in every type', () => {
    for (const first of [0x40, 0x50, 0x60, 0x70])
      for (const family of [1, 6, 7])
        for (const detail of [0, 1, 31])
          expect(faultOfBytes(Uint8Array.of(first, family * 32 + detail, 0, 1))).toBe('COAP_CODE_RESERVED')
  })

  test('a Non-confirmable message is not Empty', () => {
    expect(faultOf('50000001')).toBe('COAP_NON_CONFIRMABLE_EMPTY')
  })

  test('a Reset is Empty', () => {
    expect(faultOf('70450001')).toBe('COAP_RESET_NOT_EMPTY')
  })

  test('an Acknowledgement carries no request', () => {
    expect(faultOf('60010001')).toBe('COAP_ACKNOWLEDGEMENT_IS_REQUEST')
  })

  test('a message has an upper limit in bytes', () => {
    const bytes = new Uint8Array(MAXIMUM_MESSAGE_BYTES).fill(1)
    bytes.set([0x40, 1, 0, 1, 0xff])
    expect(decodeMessage(bytes).payload).toHaveLength(MAXIMUM_MESSAGE_BYTES - 5)
    const longer = new Uint8Array(MAXIMUM_MESSAGE_BYTES + 1)
    longer.set(bytes)
    expect(faultOfBytes(longer)).toBe('COAP_MESSAGE_TOO_LONG')
  })

  test('a message has an upper limit of options', () => {
    const head = [0x40, 1, 0, 1]
    expect(
      decodeMessage(Uint8Array.from([...head, ...new Uint8Array(MAXIMUM_OPTIONS)])).options
    ).toHaveLength(MAXIMUM_OPTIONS)
    expect(faultOfBytes(Uint8Array.from([...head, ...new Uint8Array(MAXIMUM_OPTIONS + 1)]))).toBe(
      'COAP_OPTIONS_TOO_MANY'
    )
  })
})
