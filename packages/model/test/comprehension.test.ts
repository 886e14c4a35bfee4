import { expect, test } from 'vitest'
import { decodeSignal, isComprehensionRequired } from '../src/index.ts'
import { faultOf, hex } from './fault.ts'

/** {49: {51: true, KEY: 0}} */
function heartbeatWith(key: number): Uint8Array {
  const head = key <= 0xff ? [0x18, key] : key <= 0xffff ? [0x19, key >> 8, key & 0xff] : [0x1a, 0, 1, 0, 0]
  return Uint8Array.from([0xa1, 0x18, 49, 0xa2, 0x18, 51, 0xf5, ...head, 0])
}

test('RFC 9132 §10.6.1.1, Table 8: which unknown keys refuse a message and which are passed over', () => {
  for (const required of [1, 52, 53, 127, 256, 16_383]) {
    expect(isComprehensionRequired(required), `${required}`).toBe(true)
    expect(faultOf(heartbeatWith(required)), `${required}`).toBe('MODEL_UNKNOWN_REQUIRED_KEY heartbeat')
  }
  for (const optional of [128, 255, 16_384, 32_767, 32_768, 49_151, 49_152, 65_535]) {
    expect(isComprehensionRequired(optional), `${optional}`).toBe(false)
    expect(decodeSignal(heartbeatWith(optional)), `${optional}`).toEqual({
      heartbeat: { peerHbStatus: true }
    })
  }
})

test('RFC 9132 §10.6.1.1: a key is an integer of 1 … 65535 [RFC9132-10.6.1.1-M01]', () => {
  expect(faultOf(heartbeatWith(0))).toBe('MODEL_KEY_INVALID heartbeat')
  expect(faultOf(heartbeatWith(65_535))).toBe('decoded')
  expect(faultOf(heartbeatWith(65_536))).toBe('MODEL_KEY_INVALID heartbeat')
  expect(faultOf(hex('a1 18 31 a2 18 33 f5 20 00'))).toBe('MODEL_KEY_INVALID heartbeat')
  expect(faultOf(hex('a1 18 31 a2 18 33 f5 f9 3c 00 00'))).toBe('MODEL_KEY_INVALID heartbeat')
})

test('the message names the key that was not understood', () => {
  expect(() => decodeSignal(hex('a1 01 a1 02 81 a1 18 35 80'))).toThrow(
    'scope[0]: the comprehension-required key 53 is not known here'
  )
})

test('a key that belongs elsewhere is not understood here', () => {
  expect(faultOf(hex('a1 0e 19 0e 10'))).toBe('MODEL_UNKNOWN_REQUIRED_KEY')
  expect(faultOf(hex('a1 01 a1 02 81 a1 18 16 81 a1 17 61 61'))).toBe('MODEL_UNKNOWN_REQUIRED_KEY scope[0]')
})

test('what is passed over may be anything well-formed, but not twice', () => {
  for (const item of [
    'f6',
    'fb 40 09 21 fb 54 44 2d 18',
    'f8 20',
    'c1 1a 00 00 00 00',
    '5f 41 00 ff',
    'a2 00 00 00 00',
    '3b ff ff ff ff ff ff ff ff'
  ])
    expect(faultOf(hex(`a1 19 ff ff ${item}`)), item).toBe('decoded')
  expect(faultOf(hex('a1 19 ff ff f8 1f'))).toBe('MODEL_CBOR_MALFORMED')
  expect(faultOf(hex('a1 19 ff ff 61 ff'))).toBe('MODEL_CBOR_UTF8_INVALID')
  expect(faultOf(hex('a2 19 ff ff 00 19 ff ff 00'))).toBe('MODEL_DUPLICATE_KEY')
})
