import { decodeUtf8 } from '@breakwater/core'
import { ModelDecodeError } from '../decode-error.ts'
import { MAXIMUM_DEPTH, MAXIMUM_ITEMS, MAXIMUM_MESSAGE_BYTES } from '../limit.ts'
import {
  ARRAY,
  BREAK_BYTE,
  BYTES,
  FALSE_BYTE,
  INDEFINITE,
  MAP,
  NEGATIVE,
  SIMPLE,
  TAG,
  TEXT,
  TRUE_BYTE,
  UNSIGNED,
  majorName
} from './major.ts'
import { Trail } from '../trail.ts'

/** Length of an array or map that only a "break" ends. */
export const UNTIL_BREAK = -1

const NOTHING = new Uint8Array(0)

/**
 * Reads CBOR item by item, as its caller expects them: no tree in between, nothing allocated from a claimed length,
 * depth, items and bytes bounded. Definite and indefinite lengths, and integers longer than they need to be, are
 * accepted: RFC 8949 §4.1 makes the shortest form a duty of encoders, and RFC 9132 does not ask for deterministic
 * encoding. Every fault is a ModelDecodeError with the place where it was found. One reader serves many messages, one
 * after the other: on the hot path it costs nothing to make.
 */
export class CborReader {
  /** Where the caller stands, for messages. */
  readonly trail: Trail = new Trail()
  #bytes: Uint8Array = NOTHING
  #at = 0
  #items = 0
  #depth = 0
  /** Additional information of the last head: its low five bits. */
  #info = 0
  /** Argument of the last head; exact below 2^53. */
  #argument = 0
  /** Argument of the last head as two unsigned 32-bit words. */
  #high = 0
  #low = 0

  /** Starts on a message, whatever became of the one before. */
  start(bytes: Uint8Array): void {
    this.#bytes = bytes
    this.#at = 0
    this.#items = 0
    this.#depth = 0
    this.trail.reset()
    if (bytes.length > MAXIMUM_MESSAGE_BYTES)
      this.fail('MODEL_CBOR_TOO_LARGE', `${bytes.length} bytes are more than ${MAXIMUM_MESSAGE_BYTES}`)
  }

  /** Throws the error for what is wrong at this place. */
  fail(code: string, problem: string): never {
    throw new ModelDecodeError(code, this.trail.toString(), problem)
  }

  /** The major type of the next item, which is not consumed. */
  peekMajor(): number {
    return this.#peek() >> 5
  }

  /** Whether the next byte is a "break"; if so, it is consumed. */
  takeBreak(): boolean {
    if (this.#peek() !== BREAK_BYTE) return false
    this.#at++
    return true
  }

  /** Takes the head of a tag, whatever its number. */
  readTag(): number {
    const major = this.readHead()
    if (major !== TAG) this.#mismatch('a tag', major)
    return this.#argument
  }

  /** An integer of either sign; exact between −2^53 and 2^53, and beyond those at least that far from 0. */
  readInteger(): number {
    const major = this.readHead()
    if (major === UNSIGNED) return this.#argument
    if (major === NEGATIVE) return -1 - this.#argument
    return this.#mismatch('an integer', major)
  }

  /** An unsigned integer of up to 64 bits. */
  readUnsigned64(): bigint {
    const major = this.readHead()
    if (major !== UNSIGNED) this.#mismatch('an unsigned integer', major)
    return this.#high === 0 ? BigInt(this.#low) : (BigInt(this.#high) << 32n) | BigInt(this.#low)
  }

  readBoolean(): boolean {
    const initial = this.#peek()
    if (initial !== TRUE_BYTE && initial !== FALSE_BYTE) this.#mismatch('a boolean', this.peekMajor())
    this.readHead()
    return initial === TRUE_BYTE
  }

  /** A text string; the chunks of an indefinite one are joined, each of them UTF-8 by itself (RFC 8949 §3.2.3). */
  readText(): string {
    const major = this.readHead()
    if (major !== TEXT) this.#mismatch('a text string', major)
    if (this.#info !== INDEFINITE) return this.#takeText(this.#argument)
    let text = ''
    while (!this.takeBreak()) {
      if (this.readHead() !== TEXT || this.#info === INDEFINITE) this.#badChunk()
      text += this.#takeText(this.#argument)
    }
    return text
  }

  /** Enters an array: its number of entries, or UNTIL_BREAK. `leave` it after the last one. */
  enterArray(): number {
    return this.#enter(ARRAY)
  }

  /** Enters a map: its number of pairs, or UNTIL_BREAK. `leave` it after the last one. */
  enterMap(): number {
    return this.#enter(MAP)
  }

  leave(): void {
    this.#depth--
  }

  /**
   * Reads past one item of any kind: checks that it is well-formed (RFC 8949 Appendix C) and its texts UTF-8, not that
   * the keys of its maps differ. Recursion ends at MAXIMUM_DEPTH.
   */
  skipItem(): void {
    const major = this.peekMajor()
    if (major === TEXT) this.readText()
    else if (major === ARRAY) this.#skipEntries(this.enterArray(), 1)
    else if (major === MAP) this.#skipEntries(this.enterMap(), 2)
    else if (major === BYTES) this.#skipBytes()
    else if (this.readHead() === TAG) {
      this.#deepen()
      this.skipItem()
      this.leave()
    }
  }

  /** Throws unless everything has been read, and lets go of the bytes. */
  finish(): void {
    const left = this.#bytes.length - this.#at
    if (left > 0) this.fail('MODEL_CBOR_TRAILING_BYTES', `${left} bytes follow the message`)
    this.#bytes = NOTHING
  }

  /** Reads the head of an item and returns its major type (RFC 8949 §3). */
  readHead(): number {
    if (++this.#items > MAXIMUM_ITEMS)
      this.fail('MODEL_CBOR_TOO_LARGE', `more than ${MAXIMUM_ITEMS} data items`)
    const initial = this.#take()
    const major = initial >> 5
    const info = initial & 0x1f
    this.#info = info
    this.#high = 0
    this.#low = this.#argument = info
    if (info < 24) return major
    if (info === INDEFINITE) this.#expectIndefiniteAllowed(major)
    else this.#readArgument(major, info)
    return major
  }

  #readArgument(major: number, info: number): void {
    if (info > 27) this.fail('MODEL_CBOR_MALFORMED', `additional information ${info} is reserved`)
    let low = this.#take()
    if (info >= 25) low = (low << 8) | this.#take()
    if (info >= 26) low = ((low << 16) | (this.#take() << 8) | this.#take()) >>> 0
    if (info === 27) {
      this.#high = low
      low = ((this.#take() << 24) | (this.#take() << 16) | (this.#take() << 8) | this.#take()) >>> 0
    }
    // RFC 8949 §3.3: the values below 32 have no two-byte form.
    if (major === SIMPLE && info === 24 && low < 32)
      this.fail('MODEL_CBOR_MALFORMED', `simple value ${low} in two bytes`)
    this.#low = low
    this.#argument = this.#high * 0x1_0000_0000 + low
  }

  #expectIndefiniteAllowed(major: number): void {
    if (major === SIMPLE) this.fail('MODEL_CBOR_MALFORMED', 'a "break" where a data item is due')
    if (major < BYTES || major === TAG)
      this.fail('MODEL_CBOR_MALFORMED', `${majorName(major)} cannot be of indefinite length`)
  }

  #enter(expected: number): number {
    const major = this.readHead()
    if (major !== expected) this.#mismatch(majorName(expected), major)
    this.#deepen()
    if (this.#info === INDEFINITE) return UNTIL_BREAK
    // Every entry takes a byte at least: a greater claim is refused before anybody loops over it.
    const claimedBytes = major === MAP ? 2 * this.#argument : this.#argument
    if (claimedBytes > this.#bytes.length - this.#at) this.#truncated()
    return this.#argument
  }

  #deepen(): void {
    if (++this.#depth > MAXIMUM_DEPTH)
      this.fail('MODEL_CBOR_TOO_DEEP', `more than ${MAXIMUM_DEPTH} arrays, maps and tags inside one another`)
  }

  #skipEntries(count: number, itemsPerEntry: 1 | 2): void {
    for (let i = 0; count === UNTIL_BREAK ? !this.takeBreak() : i < count; i++) {
      this.skipItem()
      if (itemsPerEntry === 2) this.skipItem()
    }
    this.leave()
  }

  #skipBytes(): void {
    this.readHead()
    if (this.#info !== INDEFINITE) {
      this.#pass(this.#argument)
      return
    }
    while (!this.takeBreak()) {
      if (this.readHead() !== BYTES || this.#info === INDEFINITE) this.#badChunk()
      this.#pass(this.#argument)
    }
  }

  #takeText(length: number): string {
    const start = this.#at
    this.#pass(length)
    try {
      return decodeUtf8(this.#bytes, start, this.#at)
    } catch {
      return this.fail('MODEL_CBOR_UTF8_INVALID', 'the text is not UTF-8')
    }
  }

  #pass(length: number): void {
    if (length > this.#bytes.length - this.#at) this.#truncated()
    this.#at += length
  }

  #peek(): number {
    return this.#bytes[this.#at] ?? this.#truncated()
  }

  #take(): number {
    return this.#bytes[this.#at++] ?? this.#truncated()
  }

  #truncated(): never {
    return this.fail('MODEL_CBOR_TRUNCATED', 'the bytes end in the middle of it')
  }

  #badChunk(): never {
    return this.fail('MODEL_CBOR_MALFORMED', 'a chunk of a string is not of its kind and of definite length')
  }

  #mismatch(expected: string, major: number): never {
    return this.fail('MODEL_TYPE_MISMATCH', `${majorName(major)} where ${expected} is due`)
  }
}
