import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeSignal,
  decodeSignalJson,
  encodeSignal,
  encodeSignalJson,
  signalToJson
} from '../../src/index.ts'
import { signalMessages } from '../arbitrary.ts'

test('every message survives the way through CBOR, JSON and CBOR', () => {
  fc.assert(
    fc.property(signalMessages(), (message) => {
      const bytes = encodeSignal(message)
      const fromJson = decodeSignalJson(encodeSignalJson(decodeSignal(bytes)))
      expect(fromJson).toEqual(message)
      expect(encodeSignal(fromJson)).toEqual(bytes)
    }),
    { numRuns: 150 }
  )
}, 60_000)

test('our own parser and that of JavaScript see the same message in the same text', () => {
  fc.assert(
    fc.property(signalMessages(), fc.nat(3), (message, indent) => {
      const text = JSON.stringify(signalToJson(message), undefined, indent)
      expect(decodeSignalJson(text)).toEqual(message)
      expect(decodeSignalJson(JSON.parse(text))).toEqual(message)
    }),
    { numRuns: 100 }
  )
}, 60_000)
