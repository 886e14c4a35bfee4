import type { CborReader } from '../cbor/reader.ts'
import type { CborWriter } from '../cbor/writer.ts'
import { ARRAY } from '../cbor/major.ts'
import { UNTIL_BREAK } from '../cbor/reader.ts'
import type { EnumerationLeaf, IntegerLeaf, Leaf, TextLeaf } from '../yang/node.ts'
import type { Codec } from './codec.ts'
import {
  DECIMAL_SCALE,
  GREATEST_MANTISSA,
  UNSIGNED_64_MAXIMUM,
  isUnassigned,
  mantissaOf,
  textProblem
} from './leaf-rule.ts'

/** The codec of one leaf (RFC 9132 Table 5, column "CBOR Major Type"). */
export function leafCodec(leaf: Leaf): Codec {
  switch (leaf.kind) {
    case 'integer':
      return new IntegerCodec(leaf)
    case 'uint64':
      return unsigned64Codec
    case 'boolean':
      return booleanCodec
    case 'enumeration':
      return new EnumerationCodec(leaf)
    case 'decimal64':
      return decimalCodec
    case 'text':
      break
  }
  return new TextCodec(leaf)
}

class IntegerCodec implements Codec<number> {
  readonly #leaf: IntegerLeaf

  constructor(leaf: IntegerLeaf) {
    this.#leaf = leaf
  }

  read(reader: CborReader): number {
    const value = reader.readInteger()
    const { minimum, maximum } = this.#leaf
    if (value < minimum || value > maximum)
      reader.fail('MODEL_OUT_OF_RANGE', `${value} is not between ${minimum} and ${maximum}`)
    return value
  }

  write(writer: CborWriter, value: number): void {
    const { minimum, maximum } = this.#leaf
    if (!Number.isInteger(value) || value < minimum || value > maximum)
      writer.fail(`${value} is not a whole number between ${minimum} and ${maximum}`)
    writer.writeInteger(value)
  }
}

const unsigned64Codec: Codec<bigint> = {
  read: (reader) => reader.readUnsigned64(),
  write(writer, value) {
    if (typeof value !== 'bigint' || value < 0n || value > UNSIGNED_64_MAXIMUM)
      writer.fail(`${value} is not a bigint between 0 and 2^64 − 1`)
    writer.writeUnsigned64(value)
  }
}

const booleanCodec: Codec<boolean> = {
  read: (reader) => reader.readBoolean(),
  write(writer, value) {
    if (typeof value !== 'boolean') writer.fail(`${String(value)} is not a boolean`)
    writer.writeBoolean(value)
  }
}

class EnumerationCodec implements Codec<number> {
  readonly #leaf: EnumerationLeaf
  readonly #known: ReadonlySet<number>

  constructor(leaf: EnumerationLeaf) {
    this.#leaf = leaf
    this.#known = new Set(Object.values(leaf.values))
  }

  read(reader: CborReader): number {
    const value = reader.readInteger()
    if (!this.#allows(value)) reader.fail('MODEL_OUT_OF_RANGE', `${value} is no ${this.#leaf.type}`)
    return value
  }

  write(writer: CborWriter, value: number): void {
    if (!Number.isInteger(value) || !this.#allows(value)) writer.fail(`${value} is no ${this.#leaf.type}`)
    writer.writeInteger(value)
  }

  #allows(value: number): boolean {
    return this.#known.has(value) || isUnassigned(this.#leaf, value)
  }
}

/** "Decimal fraction": an array of exponent and mantissa (RFC 8949 §3.4.4). */
const DECIMAL_FRACTION_TAG = 4
const EXPONENT = -2

/** RFC 9132 Table 5: decimal64 is tag 4 with [-2, integer]; no other exponent, no bignum. */
const decimalCodec: Codec<number> = {
  read(reader) {
    if (reader.readTag() !== DECIMAL_FRACTION_TAG || reader.peekMajor() !== ARRAY)
      reader.fail('MODEL_TYPE_MISMATCH', 'a decimal fraction (tag 4) is due')
    const count = reader.enterArray()
    const exponent = reader.readInteger()
    const mantissa = reader.readInteger()
    if (count === UNTIL_BREAK ? !reader.takeBreak() : count !== 2)
      reader.fail('MODEL_TYPE_MISMATCH', 'a decimal fraction has an exponent and a mantissa, nothing else')
    reader.leave()
    if (exponent !== EXPONENT) reader.fail('MODEL_OUT_OF_RANGE', `the exponent is ${exponent}, not −2`)
    if (Math.abs(mantissa) > GREATEST_MANTISSA)
      reader.fail('MODEL_OUT_OF_RANGE', `the mantissa ${mantissa} has more than 15 digits`)
    return mantissa / DECIMAL_SCALE
  },
  write(writer, value) {
    const mantissa =
      mantissaOf(value) ?? writer.fail(`${value} is not a decimal fraction of two digits after the point`)
    writer.writeTag(DECIMAL_FRACTION_TAG)
    writer.startArray(2)
    writer.writeInteger(EXPONENT)
    writer.writeInteger(mantissa)
  }
}

class TextCodec implements Codec<string> {
  readonly #leaf: TextLeaf

  constructor(leaf: TextLeaf) {
    this.#leaf = leaf
  }

  read(reader: CborReader): string {
    const text = reader.readText()
    // RFC 9132 §4.4.1.1: an empty value renders the entire request invalid.
    if (text === '') reader.fail('MODEL_EMPTY_VALUE', 'is empty')
    const problem = textProblem(this.#leaf, text)
    if (problem !== undefined) reader.fail('MODEL_TEXT_INVALID', problem)
    return text
  }

  write(writer: CborWriter, value: string): void {
    if (typeof value !== 'string') writer.fail('is not a text')
    const problem = value === '' ? 'is empty' : textProblem(this.#leaf, value)
    if (problem !== undefined) writer.fail(problem)
    writer.writeText(value)
  }
}
