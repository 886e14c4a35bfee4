import { InternalError, encodeUtf8 } from '@breakwater/core'
import { MAXIMUM_ITEMS, MAXIMUM_MESSAGE_BYTES } from '../limit.ts'
import { ARRAY, FALSE_BYTE, MAP, NEGATIVE, TAG, TEXT, TRUE_BYTE, UNSIGNED } from './major.ts'
import { Trail } from '../trail.ts'

const INITIAL_BYTES = 512

/** Bytes of the longest head: initial byte and 64-bit argument. */
const LONGEST_HEAD = 9

/**
 * Writes CBOR in its deterministic form (RFC 8949 §4.2.1): shortest heads, definite lengths. The order of map keys is
 * the caller's. A value that cannot be written is our own mistake: an InternalError with the place.
 */
export class CborWriter {
  readonly trail: Trail = new Trail()
  #bytes = new Uint8Array(INITIAL_BYTES)
  #at = 0
  #items = 0

  /** Forgets what was written; the room stays. */
  reset(): void {
    this.#at = 0
    this.#items = 0
    this.trail.reset()
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    if (this.#at > MAXIMUM_MESSAGE_BYTES) this.#tooLong()
    if (this.#items > MAXIMUM_ITEMS) this.fail(`the message has more than ${MAXIMUM_ITEMS} data items`)
    return this.#bytes.slice(0, this.#at)
  }

  /** Throws the error for what cannot be written at this place. */
  fail(problem: string): never {
    const path = this.trail.toString()
    throw new InternalError('MODEL_ENCODE_INVALID', path === '' ? problem : `${path}: ${problem}`)
  }

  /** A whole number between −2^53 and 2^53. */
  writeInteger(value: number): void {
    if (value < 0) this.#head(NEGATIVE, -1 - value)
    else this.#head(UNSIGNED, value)
  }

  /** 0 … 2^64 − 1. */
  writeUnsigned64(value: bigint): void {
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) {
      this.#head(UNSIGNED, Number(value))
      return
    }
    this.#room(LONGEST_HEAD)
    this.#items++
    this.#bytes[this.#at++] = 27
    this.#word(Number(value >> 32n))
    this.#word(Number(value & 0xffff_ffffn))
  }

  writeBoolean(value: boolean): void {
    this.#room(1)
    this.#items++
    this.#bytes[this.#at++] = value ? TRUE_BYTE : FALSE_BYTE
  }

  writeText(text: string): void {
    const start = this.#at
    this.#head(TEXT, text.length)
    this.#room(text.length)
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit >= 0x80) {
        this.#at = start
        this.#writeUtf8(text)
        return
      }
      this.#bytes[this.#at++] = unit
    }
  }

  startArray(count: number): void {
    this.#head(ARRAY, count)
  }

  startMap(count: number): void {
    this.#head(MAP, count)
  }

  writeTag(tag: number): void {
    this.#head(TAG, tag)
  }

  #writeUtf8(text: string): void {
    let utf8: Uint8Array
    try {
      utf8 = encodeUtf8(text)
    } catch {
      return this.fail('the text has half of a surrogate pair')
    }
    this.#head(TEXT, utf8.length)
    this.#room(utf8.length)
    this.#bytes.set(utf8, this.#at)
    this.#at += utf8.length
  }

  #head(major: number, argument: number): void {
    this.#room(LONGEST_HEAD)
    this.#items++
    const bits = major << 5
    if (argument < 24) this.#bytes[this.#at++] = bits | argument
    else if (argument <= 0xff) {
      this.#bytes[this.#at++] = bits | 24
      this.#bytes[this.#at++] = argument
    } else if (argument <= 0xffff) {
      this.#bytes[this.#at++] = bits | 25
      this.#bytes[this.#at++] = argument >> 8
      this.#bytes[this.#at++] = argument
    } else if (argument <= 0xffff_ffff) {
      this.#bytes[this.#at++] = bits | 26
      this.#word(argument)
    } else {
      this.#bytes[this.#at++] = bits | 27
      this.#word(Math.floor(argument / 0x1_0000_0000))
      this.#word(argument)
    }
  }

  /** The low 32 bits of `value`, most significant byte first. */
  #word(value: number): void {
    this.#bytes[this.#at++] = value >>> 24
    this.#bytes[this.#at++] = value >>> 16
    this.#bytes[this.#at++] = value >>> 8
    this.#bytes[this.#at++] = value
  }

  #room(count: number): void {
    const needed = this.#at + count
    if (needed <= this.#bytes.length) return
    if (needed > MAXIMUM_MESSAGE_BYTES + LONGEST_HEAD) this.#tooLong()
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }

  #tooLong(): never {
    return this.fail(`the message is longer than ${MAXIMUM_MESSAGE_BYTES} bytes`)
  }
}
