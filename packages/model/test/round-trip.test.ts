import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeSignal, encodeSignal } from '../src/index.ts'
import { signalMessages } from './arbitrary.ts'

test('every message survives the way out and in again', () => {
  fc.assert(
    fc.property(signalMessages(), (message) => {
      expect(decodeSignal(encodeSignal(message))).toEqual(message)
    }),
    { numRuns: 150 }
  )
}, 60_000)

test('the order in which members were set does not show in the bytes', () => {
  fc.assert(
    fc.property(signalMessages(), (message) => {
      expect(encodeSignal(reversed(message))).toEqual(encodeSignal(message))
    }),
    { numRuns: 50 }
  )
}, 60_000)

function reversed<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map((entry: unknown) => reversed(entry)) as Value
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, field]) => [name, reversed(field)] as const)
  return Object.fromEntries(entries.toReversed()) as Value
}
