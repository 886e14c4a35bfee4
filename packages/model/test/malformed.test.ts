import { describe, expect, test } from 'vitest'
import { decodeSignal } from '../src/index.ts'
import { MAXIMUM_DEPTH, MAXIMUM_ITEMS, MAXIMUM_MESSAGE_BYTES } from '../src/limit.ts'
import { faultOf, hex } from './fault.ts'

describe('what is no CBOR is refused, with the place', () => {
  const cases: readonly (readonly [title: string, bytes: string, fault: string])[] = [
    ['nothing at all', '', 'MODEL_CBOR_TRUNCATED'],
    ['a map without its key', 'a1', 'MODEL_CBOR_TRUNCATED'],
    ['a key without its value', 'a1 18 31', 'MODEL_CBOR_TRUNCATED heartbeat'],
    ['half a key', 'a1 18', 'MODEL_CBOR_TRUNCATED'],
    [
      'a text shorter than it says',
      'a1 01 a1 02 81 a1 06 81 6a 61 62',
      'MODEL_CBOR_TRUNCATED scope[0].target-prefix[0]'
    ],
    [
      'an array without its last entry',
      'a1 01 a1 02 81 a1 0a 82 06',
      'MODEL_CBOR_TRUNCATED scope[0].target-protocol'
    ],
    ['an indefinite map without its end', 'bf 18 31 a1 18 33 f5', 'MODEL_CBOR_TRUNCATED'],
    ['bytes after the message', 'a1 18 31 a1 18 33 f5 00', 'MODEL_CBOR_TRAILING_BYTES'],
    [
      'reserved additional information 28',
      'a1 01 a1 02 81 a1 0e 1c',
      'MODEL_CBOR_MALFORMED scope[0].lifetime'
    ],
    [
      'reserved additional information 30',
      'a1 01 a1 02 81 a1 0e 3e',
      'MODEL_CBOR_MALFORMED scope[0].lifetime'
    ],
    ['a break where a value is due', 'a1 18 31 bf 18 33 ff', 'MODEL_TYPE_MISMATCH peer-hb-status'],
    ['a break in a definite map', 'a1 ff 00', 'MODEL_KEY_INVALID'],
    ['an integer of indefinite length', 'a1 01 a1 02 81 a1 0e 1f', 'MODEL_CBOR_MALFORMED scope[0].lifetime'],
    [
      'a chunk that is no text',
      'a1 01 a1 02 81 a1 0d 81 7f 41 61 ff',
      'MODEL_CBOR_MALFORMED scope[0].alias-name[0]'
    ],
    [
      'a chunk that is itself indefinite',
      'a1 01 a1 02 81 a1 0d 81 7f 7f 61 61 ff ff',
      'MODEL_CBOR_MALFORMED scope[0].alias-name[0]'
    ],
    ['overlong UTF-8', 'a1 01 a1 02 81 a1 0d 81 62 c0 80', 'MODEL_CBOR_UTF8_INVALID scope[0].alias-name[0]'],
    [
      'a surrogate in UTF-8',
      'a1 01 a1 02 81 a1 0d 81 63 ed a0 80',
      'MODEL_CBOR_UTF8_INVALID scope[0].alias-name[0]'
    ],
    [
      'a character cut in two by chunks',
      'a1 01 a1 02 81 a1 0d 81 7f 61 c3 61 a9 ff',
      'MODEL_CBOR_UTF8_INVALID scope[0].alias-name[0]'
    ]
  ]
  test.each(cases)('%s', (_title, bytes, fault) => {
    expect(faultOf(hex(bytes))).toBe(fault)
  })
})

describe('what is no DOTS message is refused, with the place', () => {
  const cases: readonly (readonly [title: string, bytes: string, fault: string])[] = [
    ['an array', '80', 'MODEL_TYPE_MISMATCH'],
    ['null', 'f6', 'MODEL_TYPE_MISMATCH'],
    ['a text as key', 'a1 61 61 00', 'MODEL_KEY_INVALID'],
    ['a text as key inside', 'a1 18 31 a1 61 61 f5', 'MODEL_KEY_INVALID heartbeat'],
    ['a negative key', 'a1 20 00', 'MODEL_KEY_INVALID'],
    ['a key twice', 'a1 18 31 a2 18 33 f5 18 33 f5', 'MODEL_DUPLICATE_KEY peer-hb-status'],
    [
      'a key twice, once longer than needed',
      'a1 18 31 a2 18 33 f5 19 00 33 f5',
      'MODEL_DUPLICATE_KEY peer-hb-status'
    ],
    ['null as value', 'a1 01 a1 02 81 a1 0e f6', 'MODEL_TYPE_MISMATCH scope[0].lifetime'],
    ['a float as lifetime', 'a1 01 a1 02 81 a1 0e f9 3c 00', 'MODEL_TYPE_MISMATCH scope[0].lifetime'],
    ['a bignum as counter', 'a1 01 a1 02 81 a1 18 19 c2 41 01', 'MODEL_TYPE_MISMATCH scope[0].bytes-dropped'],
    ['an integer as boolean', 'a1 18 31 a1 18 33 01', 'MODEL_TYPE_MISMATCH peer-hb-status'],
    ['a heartbeat that says nothing', 'a1 18 31 a0', 'MODEL_MISSING_NODE peer-hb-status'],
    [
      'an upper port alone',
      'a1 01 a1 02 81 a1 07 81 a1 09 01',
      'MODEL_MISSING_NODE scope[0].target-port-range[0].lower-port'
    ],
    [
      'ports in the wrong order',
      'a1 01 a1 02 81 a1 07 81 a2 08 02 09 01',
      'MODEL_CONSTRAINT_VIOLATED scope[0].target-port-range[0].upper-port'
    ],
    [
      'one lower port in two ranges',
      'a1 01 a1 02 81 a1 07 82 a1 08 02 a2 08 02 09 03',
      'MODEL_CONSTRAINT_VIOLATED scope[0].target-port-range'
    ],
    ['two messages in one', 'a2 01 a1 02 81 a1 0e 01 18 31 a1 18 33 f5', 'MODEL_CONSTRAINT_VIOLATED'],
    [
      'what only a client sends beside what only a server sends',
      'a1 01 a1 02 81 a2 05 01 18 1d 01',
      'MODEL_CONSTRAINT_VIOLATED scope[0].attack-status'
    ],
    [
      'a tag other than 4 before a decimal',
      'a1 18 1e a1 18 20 a1 18 27 a1 18 2b c5 82 21 18 c8',
      'MODEL_TYPE_MISMATCH mitigating-config.ack-timeout.current-value-decimal'
    ],
    [
      'a decimal with exponent −1',
      'a1 18 1e a1 18 20 a1 18 27 a1 18 2b c4 82 20 14',
      'MODEL_OUT_OF_RANGE mitigating-config.ack-timeout.current-value-decimal'
    ],
    [
      'a decimal of three parts',
      'a1 18 1e a1 18 20 a1 18 27 a1 18 2b c4 83 21 14 00',
      'MODEL_TYPE_MISMATCH mitigating-config.ack-timeout.current-value-decimal'
    ],
    [
      'a decimal without mantissa',
      'a1 18 1e a1 18 20 a1 18 27 a1 18 2b c4 81 21 14',
      'MODEL_TYPE_MISMATCH mitigating-config.ack-timeout.current-value-decimal'
    ]
  ]
  test.each(cases)('%s', (_title, bytes, fault) => {
    expect(faultOf(hex(bytes))).toBe(fault)
  })
})

describe('RFC 9132 §4.4.1.1: an empty value renders the message invalid', () => {
  const cases: readonly (readonly [name: string, member: string])[] = [
    ['scope[0].cdid', '03 60'],
    ['scope[0].cuid', '04 60'],
    ['scope[0].target-prefix', '06 80'],
    ['scope[0].target-prefix[0]', '06 81 60'],
    ['scope[0].target-port-range', '07 80'],
    ['scope[0].target-protocol', '0a 80'],
    ['scope[0].target-fqdn', '0b 9f ff'],
    ['scope[0].target-uri[0]', '0c 81 60'],
    ['scope[0].alias-name[0]', '0d 81 7f ff']
  ]
  test.each(cases)('%s', (path, member) => {
    expect(faultOf(hex(`a1 01 a1 02 81 a1 ${member}`))).toBe(`MODEL_EMPTY_VALUE ${path}`)
  })

  test('scope', () => {
    expect(faultOf(hex('a1 01 a1 02 80'))).toBe('MODEL_EMPTY_VALUE scope')
  })
})

describe('what another encoder may write is accepted', () => {
  test('indefinite lengths of maps, arrays and texts', () => {
    const bytes = hex('bf 01 bf 02 9f bf 0d 9f 7f 61 61 61 62 ff ff ff ff ff ff')
    expect(decodeSignal(bytes)).toEqual({ mitigationScope: { scope: [{ aliasName: ['ab'] }] } })
  })

  test('a decimal in an array of indefinite length', () => {
    const bytes = hex('a1 18 1e a1 18 20 a1 18 27 a1 18 2b c4 9f 21 18 96 ff')
    expect(decodeSignal(bytes).signalConfig?.mitigatingConfig?.ackTimeout).toEqual({
      currentValueDecimal: 1.5
    })
  })

  test('integers and lengths longer than they need to be', () => {
    const bytes = hex(
      'b8 01 19 00 01 a1 1a 00 00 00 02 9b 00 00 00 00 00 00 00 01 a1 0e 1b 00 00 00 00 00 00 0e 10'
    )
    expect(decodeSignal(bytes)).toEqual({ mitigationScope: { scope: [{ lifetime: 3600 }] } })
  })

  test('members in any order', () => {
    const bytes = hex('a1 01 a1 02 81 a2 0e 0a 0a 81 06')
    expect(decodeSignal(bytes)).toEqual({
      mitigationScope: { scope: [{ targetProtocol: [6], lifetime: 10 }] }
    })
  })

  test('an empty map: a message without a container', () => {
    expect(decodeSignal(hex('a0'))).toEqual({})
  })
})

/** {65535: …}: the place where any item may stand. */
const anywhere = 'a1 19 ff ff'

/** An array of `count` zeros there. */
function zeros(count: number): Uint8Array {
  return hex(`${anywhere} 9f ${'00 '.repeat(count)} ff`)
}

/** A byte string there that makes the message `total` bytes long. */
function filler(total: number): Uint8Array {
  const bytes = new Uint8Array(total)
  bytes.set(hex(`${anywhere} 59`))
  new DataView(bytes.buffer).setUint16(5, total - 7)
  return bytes
}

describe('bombs cost nothing', () => {
  test('lengths that are not there', () => {
    for (const claim of [
      '9b 7f ff ff ff ff ff ff ff',
      'bb 00 00 00 00 ff ff ff ff',
      '7b 00 00 00 01 00 00 00 00',
      '5a ff ff ff ff',
      '9a 00 10 00 00'
    ])
      expect(faultOf(hex(`${anywhere} ${claim}`)), claim).toBe('MODEL_CBOR_TRUNCATED')
    expect(faultOf(hex('bb ff ff ff ff ff ff ff ff'))).toBe('MODEL_CBOR_TRUNCATED')
    expect(faultOf(hex('a1 01 a1 02 9b 00 00 00 01 00 00 00 00'))).toBe('MODEL_CBOR_TRUNCATED scope')
  })

  test('arrays, maps and tags inside one another, to the last level and no further', () => {
    for (const opening of ['81', '9f', 'c1', 'a1 00', 'bf 00']) {
      const closing = opening === '9f' || opening === 'bf 00' ? 'ff ' : ''
      const nest = (levels: number): Uint8Array =>
        hex(`${anywhere} ${`${opening} `.repeat(levels)} 00 ${closing.repeat(levels)}`)
      expect(faultOf(nest(MAXIMUM_DEPTH - 1)), opening).toBe('decoded')
      expect(faultOf(nest(MAXIMUM_DEPTH)), opening).toBe('MODEL_CBOR_TOO_DEEP')
      expect(faultOf(nest(20_000)), opening).toBe('MODEL_CBOR_TOO_DEEP')
    }
  })

  test('more data items than allowed', () => {
    // The map, its key and the array count too.
    expect(faultOf(zeros(MAXIMUM_ITEMS - 3))).toBe('decoded')
    expect(faultOf(zeros(MAXIMUM_ITEMS - 2))).toBe('MODEL_CBOR_TOO_LARGE')
  })

  test('more bytes than allowed', () => {
    expect(faultOf(filler(MAXIMUM_MESSAGE_BYTES))).toBe('decoded')
    expect(faultOf(filler(MAXIMUM_MESSAGE_BYTES + 1))).toBe('MODEL_CBOR_TOO_LARGE')
  })

  test('a refused text comes back shortened', () => {
    const bytes = hex(`a1 01 a1 02 81 a1 0c 81 79 4e 20 ${'61 '.repeat(20_000)}`)
    const message = (): unknown => decodeSignal(bytes)
    expect(message).toThrow(/^scope\[0\]\.target-uri\[0\]: "a{64}"… is no uri$/)
  })

  test('a fault leaves no trace in the next message', () => {
    expect(faultOf(hex('a1 01 a1 02 81 a1 0e 19'))).toBe('MODEL_CBOR_TRUNCATED scope[0].lifetime')
    expect(decodeSignal(hex('a1 18 31 a1 18 33 f5'))).toEqual({ heartbeat: { peerHbStatus: true } })
    expect(faultOf(hex('a1 18 31 a0'))).toBe('MODEL_MISSING_NODE peer-hb-status')
  })
})
