import { InternalError } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { decodeSignalJson, encodeSignalJson, signalToJson } from '../../src/index.ts'
import type { MitigationScopeEntry, SignalMessage } from '../../src/index.ts'
import { jsonFaultOf, scopeText } from './fault.ts'

function inScope(name: string, value: string): string {
  return jsonFaultOf(scopeText(`"${name}":${value}`)).replace(` scope[0].${name}`, '')
}

/** The value of a member, after the way in and out. */
function written(name: string, value: string): unknown {
  const json = signalToJson(decodeSignalJson(scopeText(`"${name}":${value}`))) as Record<
    string,
    { scope: readonly Record<string, unknown>[] }
  >
  return json['ietf-dots-signal-channel:mitigation-scope']?.scope[0]?.[name]
}

describe('whole numbers (RFC 7951 §6.1)', () => {
  test.each([
    ['-1', 'decoded'],
    ['0', 'decoded'],
    ['-0', 'decoded'],
    ['4294967295', 'decoded'],
    ['36e2', 'decoded'],
    ['-2', 'MODEL_OUT_OF_RANGE'],
    ['4294967296', 'MODEL_OUT_OF_RANGE'],
    ['1.5', 'MODEL_OUT_OF_RANGE'],
    ['1e400', 'MODEL_OUT_OF_RANGE'],
    ['"3600"', 'MODEL_TYPE_MISMATCH'],
    ['null', 'MODEL_TYPE_MISMATCH'],
    ['true', 'MODEL_TYPE_MISMATCH'],
    ['[3600]', 'MODEL_TYPE_MISMATCH']
  ])('a lifetime of %s: %s', (value, fault) => {
    expect(inScope('lifetime', value)).toBe(fault)
  })

  test('no negative zero comes out', () => {
    expect(Object.is(written('lifetime', '-0'), 0)).toBe(true)
  })
})

describe('64 bits are a text of digits (RFC 7951 §6.1)', () => {
  test.each([
    ['"0"', '0'],
    ['"18446744073709551615"', '18446744073709551615'],
    ['"9007199254740993"', '9007199254740993'],
    ['"+007"', '7'],
    ['"-0"', '0']
  ])('%s', (value, out) => {
    expect(written('bytes-dropped', value)).toBe(out)
  })

  test.each([
    ['"18446744073709551616"', 'MODEL_OUT_OF_RANGE'],
    ['"-1"', 'MODEL_OUT_OF_RANGE'],
    ['""', 'MODEL_TEXT_INVALID'],
    ['"0x10"', 'MODEL_TEXT_INVALID'],
    ['" 1"', 'MODEL_TEXT_INVALID'],
    ['"1.0"', 'MODEL_TEXT_INVALID'],
    [`"${'0'.repeat(65)}"`, 'MODEL_TEXT_INVALID'],
    ['1', 'MODEL_TYPE_MISMATCH']
  ])('%s: %s', (value, fault) => {
    expect(inScope('bytes-dropped', value)).toBe(fault)
  })
})

describe('decimals (RFC 7951 §6.1)', () => {
  const current = 'current-value-decimal'
  const factor = (value: string): string =>
    `{"ietf-dots-signal-channel:signal-config":{"idle-config":{"ack-timeout":{"${current}":${value}}}}}`

  test.each([
    ['"2"', '2.00'],
    ['"2.5"', '2.50'],
    ['"+1.10"', '1.10'],
    ['"1.5000"', '1.50'],
    ['"-0.01"', '-0.01'],
    ['"-0.00"', '0.00'],
    ['"10000000000000.00"', '10000000000000.00'],
    ['"9999999999999.99"', '9999999999999.99']
  ])('%s', (value, out) => {
    expect(encodeSignalJson(decodeSignalJson(factor(value)))).toBe(factor(`"${out}"`))
  })

  test.each([
    ['"1.234"', 'MODEL_TEXT_INVALID'],
    ['"."', 'MODEL_TEXT_INVALID'],
    ['"1."', 'MODEL_TEXT_INVALID'],
    ['"1e2"', 'MODEL_TEXT_INVALID'],
    ['"NaN"', 'MODEL_TEXT_INVALID'],
    ['"10000000000000.01"', 'MODEL_OUT_OF_RANGE'],
    ['1.5', 'MODEL_TYPE_MISMATCH']
  ])('%s: %s', (value, fault) => {
    expect(jsonFaultOf(factor(value))).toBe(`${fault} idle-config.ack-timeout.${current}`)
  })
})

describe('enumerations go by name (RFC 7951 §6.4)', () => {
  test.each([
    ['status', '"attack-stopped"', 'decoded'],
    ['status', '"attack-mitigation-signal-loss"', 'decoded'],
    ['attack-status', '"under-attack"', 'decoded'],
    ['attack-status', '"attack-stopped"', 'MODEL_OUT_OF_RANGE'],
    ['status', '"toString"', 'MODEL_OUT_OF_RANGE'],
    ['status', '3', 'MODEL_TYPE_MISMATCH']
  ])('%s %s: %s', (name, value, fault) => {
    expect(inScope(name, value)).toBe(fault)
  })

  test('a code that the registry got later is a text of its digits, there and back', () => {
    expect(written('status', '"9"')).toBe('9')
    expect(written('status', '"2147483647"')).toBe('2147483647')
    for (const value of ['"3"', '"0"', '"09"', '"2147483648"'])
      expect(inScope('status', value), value).toBe('MODEL_OUT_OF_RANGE')
    expect(inScope('attack-status', '"9"')).toBe('MODEL_OUT_OF_RANGE')
  })
})

describe('texts', () => {
  test.each([
    ['["web"]', 'decoded'],
    [String.raw`["\ud83c\udf0a"]`, 'decoded'],
    ['[""]', 'MODEL_EMPTY_VALUE[0]'],
    [String.raw`["\ud83c"]`, 'MODEL_TEXT_INVALID[0]'],
    [String.raw`["a","\u0000"]`, 'MODEL_TEXT_INVALID[1]'],
    ['[]', 'MODEL_EMPTY_VALUE'],
    ['"web"', 'MODEL_TYPE_MISMATCH'],
    ['{"0":"web"}', 'MODEL_TYPE_MISMATCH'],
    ['[["web"]]', 'MODEL_TYPE_MISMATCH[0]']
  ])('an alias-name of %s: %s', (value, fault) => {
    expect(inScope('alias-name', value)).toBe(fault)
  })
})

describe('members', () => {
  test.each([
    ['the name without module', '{"heartbeat":{"peer-hb-status":true}}', 'MODEL_UNKNOWN_MEMBER heartbeat'],
    [
      'a module where the parent has the same',
      '{"ietf-dots-signal-channel:heartbeat":{"ietf-dots-signal-channel:peer-hb-status":true}}',
      'MODEL_UNKNOWN_MEMBER ietf-dots-signal-channel:peer-hb-status'
    ],
    [
      'the TypeScript name',
      scopeText('"targetPrefix":["192.0.2.0/24"]'),
      'MODEL_UNKNOWN_MEMBER scope[0].targetPrefix'
    ],
    [
      'a mandatory one missing',
      '{"ietf-dots-signal-channel:heartbeat":{}}',
      'MODEL_MISSING_NODE peer-hb-status'
    ],
    [
      'two messages',
      '{"ietf-dots-signal-channel:heartbeat":{"peer-hb-status":true},"ietf-dots-signal-channel:signal-config":{}}',
      'MODEL_CONSTRAINT_VIOLATED'
    ],
    [
      'two senders',
      scopeText('"mid":1,"attack-status":"under-attack"'),
      'MODEL_CONSTRAINT_VIOLATED scope[0].attack-status'
    ],
    [
      'ports upside down',
      scopeText('"target-port-range":[{"lower-port":443,"upper-port":80}]'),
      'MODEL_CONSTRAINT_VIOLATED scope[0].target-port-range[0].upper-port'
    ],
    [
      'two ranges of one lower-port',
      scopeText('"target-port-range":[{"lower-port":80},{"lower-port":80,"upper-port":90}]'),
      'MODEL_CONSTRAINT_VIOLATED scope[0].target-port-range'
    ],
    ['an array for the message', '[]', 'MODEL_TYPE_MISMATCH'],
    [
      'a number for a container',
      '{"ietf-dots-signal-channel:heartbeat":7}',
      'MODEL_TYPE_MISMATCH ietf-dots-signal-channel:heartbeat'
    ]
  ])('%s', (_, text, fault) => {
    expect(jsonFaultOf(text)).toBe(fault)
    expect(jsonFaultOf(JSON.parse(text))).toBe(fault)
  })

  test('what no JSON says is refused, not followed', () => {
    const circle: Record<string, unknown> = {}
    circle['ietf-dots-signal-channel:mitigation-scope'] = circle
    expect(jsonFaultOf(circle)).toMatch('MODEL_UNKNOWN_MEMBER')
    for (const value of [undefined, 7n, () => 7, Symbol('a')])
      expect(jsonFaultOf(value)).toBe('MODEL_TYPE_MISMATCH')
  })
})

function scope(entry: MitigationScopeEntry): SignalMessage {
  return { mitigationScope: { scope: [entry] } }
}

describe('what could not be read back is not written', () => {
  test.each<[string, SignalMessage, string]>([
    ['a lifetime out of range', scope({ lifetime: -2 }), 'scope[0].lifetime'],
    ['half a lifetime', scope({ lifetime: 0.5 }), 'scope[0].lifetime'],
    ['a counter beyond 64 bits', scope({ bytesDropped: 2n ** 64n }), 'scope[0].bytes-dropped'],
    ['a code out of range', scope({ status: 0 }), 'scope[0].status'],
    ['a code without a name in a closed set', scope({ attackStatus: 3 }), 'scope[0].attack-status'],
    ['half of a surrogate pair', scope({ aliasName: ['\ud800'] }), 'scope[0].alias-name[0]'],
    ['an empty list', scope({ aliasName: [] }), 'scope[0].alias-name'],
    ['two senders', scope({ attackStatus: 1, mid: 7 }), 'scope[0].attack-status'],
    [
      'a third digit after the point',
      { signalConfig: { idleConfig: { ackTimeout: { currentValueDecimal: 1.234 } } } },
      'idle-config.ack-timeout.current-value-decimal'
    ]
  ])('%s', (_, message, path) => {
    const error = thrownBy(() => encodeSignalJson(message))
    expect(error.code).toBe('MODEL_ENCODE_INVALID')
    expect(error.message.slice(0, path.length + 2)).toBe(`${path}: `)
  })
})

function thrownBy(act: () => unknown): InternalError {
  try {
    act()
  } catch (error) {
    if (error instanceof InternalError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
