import {
  DECIMAL_SCALE,
  GREATEST_MANTISSA,
  UNSIGNED_64_MAXIMUM,
  isUnassigned,
  mantissaOf,
  quoted,
  textProblem
} from '../mapping/leaf-rule.ts'
import type { EnumerationLeaf, IntegerLeaf, Leaf, TextLeaf } from '../yang/node.ts'
import type { JsonCodec } from './json-codec.ts'
import { kindOf } from './json-value.ts'
import type { Place } from './place.ts'

/** How the leaves look in JSON (RFC 7951 §6). */
export function leafJson(leaf: Leaf): JsonCodec {
  switch (leaf.kind) {
    case 'integer':
      return integerJson(leaf)
    case 'uint64':
      return unsigned64Json
    case 'boolean':
      return booleanJson
    case 'enumeration':
      return enumerationJson(leaf)
    case 'decimal64':
      return decimalJson
    case 'text':
      break
  }
  return textJson(leaf)
}

function mismatch(json: unknown, due: string, place: Place): never {
  return place.fail('MODEL_TYPE_MISMATCH', `${kindOf(json)} where ${due} is due`)
}

function expectText(json: unknown, due: string, place: Place): string {
  return typeof json === 'string' ? json : mismatch(json, due, place)
}

/** RFC 7951 §6.1: a number. Table 5 of RFC 9132 calls `retry-timer`, an uint32, a string all the same. */
function integerJson({ minimum, maximum }: IntegerLeaf): JsonCodec<number> {
  const checked = (value: number, place: Place): number => {
    if (!Number.isInteger(value) || value < minimum || value > maximum)
      place.fail('MODEL_OUT_OF_RANGE', `${value} is not a whole number between ${minimum} and ${maximum}`)
    // Of the two zeros that a JavaScript number knows, YANG has one.
    return value + 0
  }
  return {
    read: (json, place) =>
      checked(typeof json === 'number' ? json : mismatch(json, 'a number', place), place),
    write: checked
  }
}

/** RFC 7950 §9.2.1, of which RFC 7951 §6.1 takes the form: decimal, a sign and leading zeros allowed. */
const WHOLE = /^[+-]?[0-9]{1,64}$/

/** RFC 7951 §6.1: a text, because a number of 64 bits would not survive most JSON parsers. */
const unsigned64Json: JsonCodec<bigint> = {
  read(json, place) {
    const text = expectText(json, 'a text of digits', place)
    if (!WHOLE.test(text)) place.fail('MODEL_TEXT_INVALID', `${quoted(text)} is no whole number`)
    // BigInt() knows no "+".
    return checkUnsigned64(BigInt(text.replace('+', '')), place)
  },
  write: (value, place) => checkUnsigned64(value, place).toString()
}

function checkUnsigned64(value: bigint, place: Place): bigint {
  if (typeof value !== 'bigint' || value < 0n || value > UNSIGNED_64_MAXIMUM)
    place.fail('MODEL_OUT_OF_RANGE', `${value} is not between 0 and 2^64 − 1`)
  return value
}

const booleanJson: JsonCodec<boolean> = {
  read: expectBoolean,
  write: expectBoolean
}

function expectBoolean(json: unknown, place: Place): boolean {
  return typeof json === 'boolean' ? json : mismatch(json, 'a boolean', place)
}

/** The code of an unassigned name, which YANG does not know: its digits. */
const CODE = /^[1-9][0-9]{0,9}$/

/**
 * RFC 7951 §6.4: the name. Deviation: a code that has no name, which a newer peer may send (RFC 9132 §10.6.2), is
 * written as a text of its digits, so that whoever reads JSON sees what came.
 */
function enumerationJson(leaf: EnumerationLeaf): JsonCodec<number> {
  const codes = new Map(Object.entries(leaf.values))
  const names = new Map(Object.entries(leaf.values).map(([name, code]) => [code, name]))
  return {
    read(json, place) {
      const name = expectText(json, `the name of a ${leaf.type}`, place)
      const code = codes.get(name) ?? (CODE.test(name) ? Number(name) : 0)
      if (codes.has(name) || (isUnassigned(leaf, code) && !names.has(code))) return code
      return place.fail('MODEL_OUT_OF_RANGE', `${quoted(name)} is no ${leaf.type}`)
    },
    write(code, place) {
      const name = names.get(code)
      if (name !== undefined) return name
      if (!Number.isInteger(code) || !isUnassigned(leaf, code))
        place.fail('MODEL_OUT_OF_RANGE', `${code} is no ${leaf.type}`)
      return code.toString()
    }
  }
}

/** RFC 7950 §9.3.1, with the two fraction digits of DOTS at most; zeros behind them say nothing. */
const DECIMAL = /^[+-]?[0-9]{1,64}(?:\.[0-9]{1,2}0{0,62})?$/

/** RFC 7951 §6.1: a text; with two digits after the point, as RFC 9132 prints them. */
const decimalJson: JsonCodec<number> = {
  read(json, place) {
    const text = expectText(json, 'a text of digits', place)
    if (!DECIMAL.test(text))
      place.fail('MODEL_TEXT_INVALID', `${quoted(text)} is no number of two digits after the point`)
    const value = Number(text)
    if (Math.abs(Math.round(value * DECIMAL_SCALE)) > GREATEST_MANTISSA)
      place.fail('MODEL_OUT_OF_RANGE', `${quoted(text)} has more than 15 digits`)
    return value + 0
  },
  write(value, place) {
    const mantissa =
      mantissaOf(value) ??
      place.fail('MODEL_OUT_OF_RANGE', `${value} is not a number of two digits after the point`)
    const digits = Math.abs(mantissa).toString().padStart(3, '0')
    return `${mantissa < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
  }
}

const HALF_A_PAIR = /\p{Surrogate}/u

function textJson(leaf: TextLeaf): JsonCodec<string> {
  const checked = (json: unknown, place: Place): string => {
    const text = expectText(json, 'a text', place)
    // RFC 9132 §4.4.1.1: an empty value renders the entire request invalid.
    if (text === '') place.fail('MODEL_EMPTY_VALUE', 'is empty')
    // An escape can say what no UTF-8 can (RFC 8259 §8.2), and thus no CBOR.
    if (HALF_A_PAIR.test(text)) place.fail('MODEL_TEXT_INVALID', 'has half of a surrogate pair')
    const problem = textProblem(leaf, text)
    if (problem !== undefined) place.fail('MODEL_TEXT_INVALID', problem)
    return text
  }
  return { read: checked, write: checked }
}
