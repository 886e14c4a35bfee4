import { describe, expect, test } from 'vitest'
import {
  formatOptionNumber,
  isCritical,
  isNoCacheKey,
  isUnsafe,
  optionDefinition,
  OptionNumber
} from '../src/index.ts'

/** Columns C, U and N of RFC 7252 table 4, RFC 7641 §2, RFC 7959 §2.1, RFC 8768 §3. */
const columns: readonly (readonly [keyof typeof OptionNumber, string])[] = [
  ['ifMatch', 'C'],
  ['uriHost', 'CU'],
  ['etag', ''],
  ['ifNoneMatch', 'C'],
  ['observe', 'U'],
  ['uriPort', 'CU'],
  ['locationPath', ''],
  ['uriPath', 'CU'],
  ['contentFormat', ''],
  ['maxAge', 'U'],
  ['uriQuery', 'CU'],
  ['hopLimit', ''],
  ['accept', 'C'],
  ['locationQuery', ''],
  ['block2', 'CU'],
  ['block1', 'CU'],
  ['size2', 'N'],
  ['proxyUri', 'CU'],
  ['proxyScheme', 'CU'],
  ['size1', 'N']
]

describe('the option registry', () => {
  test.each(columns)('%s is "%s"', (name, expected) => {
    const number = OptionNumber[name]
    const letters = [
      isCritical(number) ? 'C' : '',
      isUnsafe(number) ? 'U' : '',
      isNoCacheKey(number) ? 'N' : ''
    ]
    expect(letters.join('')).toBe(expected)
  })

  test('each number has a definition with bounds in order, and each name is its own', () => {
    const numbers = Object.values(OptionNumber)
    const definitions = numbers.map(optionDefinition)
    for (const definition of definitions)
      expect(definition?.minimumLength).toBeLessThanOrEqual(definition?.maximumLength ?? -1)
    expect(new Set(definitions.map((definition) => definition?.name)).size).toBe(numbers.length)
  })

  test('Hop-Limit is 16, one byte, once (RFC 8768 §3)', () => {
    expect(optionDefinition(16)).toMatchObject({
      name: 'Hop-Limit',
      format: 'uint',
      minimumLength: 1,
      maximumLength: 1,
      repeatable: false
    })
  })

  test('what is not registered has no definition and its number for a name', () => {
    expect(optionDefinition(9999)).toBeUndefined()
    expect(formatOptionNumber(9999)).toBe('option 9999')
    expect(formatOptionNumber(11)).toBe('Uri-Path')
  })
})
