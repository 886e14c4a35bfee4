import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from '../../src/json/parse.ts'
import { readingPlace } from '../../src/json/place.ts'
import { MAXIMUM_DEPTH, MAXIMUM_ITEMS, MAXIMUM_JSON_LENGTH } from '../../src/limit.ts'
import { jsonFaultOf, scopeText } from './fault.ts'

function ours(text: string): unknown {
  return parseJson(text, readingPlace())
}

/** What `JSON.parse` makes of it, or `undefined`. */
function theirs(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

test('any JSON value is read as JavaScript reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.nat(2), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), undefined, indent)
      expect(JSON.stringify(ours(text))).toBe(JSON.stringify(JSON.parse(text)))
    }),
    { numRuns: 300 }
  )
}, 60_000)

test('of random texts, those that are JSON for us are exactly those that JavaScript reads', () => {
  const signs = Array.from('{}[]:,"\\-+.019eEu ntf')
  const telling = fc.constantFrom(...signs, 'true', 'null', '"a"', '\\u0041', '\t', '\0')
  let read = 0
  fc.assert(
    fc.property(fc.array(telling, { minLength: 1, maxLength: 8 }), (parts) => {
      const text = parts.join('')
      const expected = theirs(text)
      if (expected !== undefined) read++
      // A member that stands twice is the difference that this parser exists for.
      if (/"a".*"a"/.test(text)) return
      if (expected === undefined)
        expect(() => ours(text), text).toThrow(expect.objectContaining({ code: 'MODEL_JSON_MALFORMED' }))
      else expect(JSON.stringify(ours(text))).toBe(JSON.stringify(expected))
    }),
    { numRuns: 5000 }
  )
  expect(read).toBeGreaterThan(100)
}, 60_000)

describe('refused, with the place', () => {
  const cases: readonly (readonly [what: string, text: string, fault: string])[] = [
    ['nothing at all', '', 'MODEL_JSON_MALFORMED'],
    ['a byte order mark', '\ufeff{}', 'MODEL_JSON_MALFORMED'],
    ['something after the message', '{}{}', 'MODEL_JSON_MALFORMED'],
    ['a comment', '{/**/}', 'MODEL_JSON_MALFORMED'],
    ['a comma too many', scopeText('"lifetime":1,'), 'MODEL_JSON_MALFORMED scope[0]'],
    ['a number with a leading zero', scopeText('"lifetime":01'), 'MODEL_JSON_MALFORMED scope[0]'],
    ['NaN', scopeText('"lifetime":NaN'), 'MODEL_JSON_MALFORMED scope[0].lifetime'],
    ['single quotes', scopeText("'lifetime':1"), 'MODEL_JSON_MALFORMED scope[0]'],
    [
      'an escape that is none',
      scopeText(String.raw`"alias-name":["\x41"]`),
      'MODEL_JSON_MALFORMED scope[0].alias-name[0]'
    ],
    ['a raw line feed', scopeText('"alias-name":["a\nb"]'), 'MODEL_JSON_MALFORMED scope[0].alias-name[0]'],
    ['a text without end', '{"ietf-dots', 'MODEL_JSON_MALFORMED'],
    ['a member twice', scopeText('"lifetime":1,"lifetime":1'), 'MODEL_DUPLICATE_KEY scope[0].lifetime'],
    [
      'a member twice, once escaped',
      scopeText(String.raw`"lifetime":1,"\u006cifetime":1`),
      'MODEL_DUPLICATE_KEY scope[0].lifetime'
    ],
    ['a message twice', '{"a":1,"a":1}', 'MODEL_DUPLICATE_KEY a']
  ]
  test.each(cases)('%s', (_, text, fault) => {
    expect(jsonFaultOf(text)).toBe(fault)
  })
})

test('the names of the prototype are names like any other', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    expect(jsonFaultOf(scopeText(`"${name}":{"lifetime":1}`))).toBe(`MODEL_UNKNOWN_MEMBER scope[0].${name}`)
    expect(jsonFaultOf(JSON.parse(scopeText(`"${name}":{"lifetime":1}`)))).toBe(
      `MODEL_UNKNOWN_MEMBER scope[0].${name}`
    )
    expect(jsonFaultOf(scopeText(`"${name}":1,"${name}":1`))).toBe(`MODEL_DUPLICATE_KEY scope[0].${name}`)
  }
})

test('what is inherited is not in the message', () => {
  const inherited = Object.create({ 'ietf-dots-signal-channel:heartbeat': 7 }) as unknown
  expect(jsonFaultOf(inherited)).toBe('decoded')
})

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

function zeros(count: number): string {
  return `[${'0,'.repeat(count - 1)}0]`
}

describe('limits', () => {
  test('depth', () => {
    expect(ours(nested(MAXIMUM_DEPTH))).toBeDefined()
    expect(jsonFaultOf(nested(MAXIMUM_DEPTH + 1))).toMatch('MODEL_JSON_TOO_DEEP')
    expect(jsonFaultOf('{"a":'.repeat(200_000))).toMatch('MODEL_JSON_TOO_DEEP')
  })

  test('values and names', () => {
    expect(ours(zeros(MAXIMUM_ITEMS - 1))).toHaveLength(MAXIMUM_ITEMS - 1)
    expect(jsonFaultOf(zeros(MAXIMUM_ITEMS))).toMatch('MODEL_JSON_TOO_LARGE')
  })

  test('length', () => {
    expect(jsonFaultOf(`{}${' '.repeat(MAXIMUM_JSON_LENGTH - 2)}`)).toBe('decoded')
    expect(jsonFaultOf(`{}${' '.repeat(MAXIMUM_JSON_LENGTH - 1)}`)).toBe('MODEL_JSON_TOO_LARGE')
  })

  test('a name as long as the message does not become a path as long as the message', () => {
    const fault = jsonFaultOf(scopeText(`"${'a'.repeat(100_000)}":1`))
    expect(fault).toBe(`MODEL_UNKNOWN_MEMBER scope[0].${'a'.repeat(64)}…`)
  })
})
