import { ipv4, ipv6 } from './address.ts'
import type { IpAddress, IpFamily } from './address.ts'
import { filterBit } from './length-filter.ts'
import { mixWord } from './mix-word.ts'
import type { IpPrefix } from './prefix.ts'
import { wordMask } from './word-mask.ts'

const SMALLEST_CAPACITY = 8

/**
 * The prefixes of one family and one length: open addressing with linear probing over flat arrays. At most half of the
 * slots are used, and a bitmap tells which, so that most misses end without touching the keys.
 */
export class PrefixHash<Value> {
  readonly family: IpFamily
  readonly length: number
  /** The bit of this length in a `LengthFilter`. */
  readonly filterBit: number
  readonly #seed: number
  /** Words of a key: as many as the prefix length reaches into. */
  readonly #words: number
  readonly #maskA: number
  readonly #maskB: number
  readonly #maskC: number
  readonly #maskD: number
  #capacity = SMALLEST_CAPACITY
  #used: Int32Array
  #keys: Int32Array
  #values: (Value | undefined)[]
  #size = 0

  constructor(family: IpFamily, length: number, seed: number) {
    this.family = family
    this.length = length
    this.filterBit = filterBit(family, length)
    this.#seed = seed
    this.#words = Math.max(1, Math.ceil(length / 32))
    this.#maskA = wordMask(length)
    this.#maskB = wordMask(length - 32)
    this.#maskC = wordMask(length - 64)
    this.#maskD = wordMask(length - 96)
    this.#used = new Int32Array(1)
    this.#keys = new Int32Array(SMALLEST_CAPACITY * this.#words)
    this.#values = emptySlots(SMALLEST_CAPACITY)
  }

  get size(): number {
    return this.#size
  }

  /** The slot of the entry whose first `length` bits are those of `address`; −1 when there is none. */
  find(address: IpAddress): number {
    const a = address.a & this.#maskA
    const b = address.b & this.#maskB
    const c = address.c & this.#maskC
    const d = address.d & this.#maskD
    const last = this.#capacity - 1
    let slot = this.#home(a, b, c, d)
    while (this.#isUsed(slot)) {
      if (this.#holds(slot, a, b, c, d)) return slot
      slot = (slot + 1) & last
    }
    return -1
  }

  /** What `set` stored in a slot that `find` or `slots` named. */
  valueAt(slot: number): Value {
    return this.#values[slot] as Value
  }

  prefixAt(slot: number): IpPrefix {
    const word = (index: number): number =>
      index < this.#words ? (this.#keys[slot * this.#words + index] ?? 0) : 0
    const address = this.family === 4 ? ipv4(word(0)) : ipv6(word(0), word(1), word(2), word(3))
    return { address, length: this.length }
  }

  /** Adds or replaces the entry of `address`. */
  set(address: IpAddress, value: Value): void {
    const found = this.find(address)
    if (found >= 0) {
      this.#values[found] = value
      return
    }
    if (2 * (this.#size + 1) > this.#capacity) this.#resize(2 * this.#capacity)
    this.#insert(
      address.a & this.#maskA,
      address.b & this.#maskB,
      address.c & this.#maskC,
      address.d & this.#maskD,
      value
    )
  }

  /** Frees the slot of an entry; slots found before are void afterwards. */
  remove(slot: number): void {
    this.#closeGap(slot)
    this.#size--
    if (this.#capacity > SMALLEST_CAPACITY && 8 * this.#size < this.#capacity)
      this.#resize(this.#capacity / 2)
  }

  /** All slots in use; void after `set` or `remove`. */
  *slots(): Generator<number, void, undefined> {
    for (let slot = 0; slot < this.#capacity; slot++) if (this.#isUsed(slot)) yield slot
  }

  /** Moves later entries of the run back, so that no search for them ends at the freed slot. */
  #closeGap(slot: number): void {
    const last = this.#capacity - 1
    let gap = slot
    for (let next = (gap + 1) & last; this.#isUsed(next); next = (next + 1) & last) {
      // An entry may only move to a slot that lies between its home and where it stands.
      const distanceFromHome = (next - this.#homeOf(next)) & last
      if (distanceFromHome < ((next - gap) & last)) continue
      this.#keys.copyWithin(gap * this.#words, next * this.#words, (next + 1) * this.#words)
      this.#values[gap] = this.#values[next]
      gap = next
    }
    this.#used[gap >>> 5] = (this.#used[gap >>> 5] ?? 0) & ~(1 << (gap & 31))
    this.#values[gap] = undefined
  }

  #resize(capacity: number): void {
    const slots = [...this.slots()]
    const keys = this.#keys
    const values = this.#values
    this.#capacity = capacity
    this.#size = 0
    this.#used = new Int32Array(Math.ceil(capacity / 32))
    this.#keys = new Int32Array(capacity * this.#words)
    this.#values = emptySlots(capacity)
    for (const slot of slots) {
      const word = (index: number): number =>
        index < this.#words ? (keys[slot * this.#words + index] ?? 0) : 0
      this.#insert(word(0), word(1), word(2), word(3), values[slot] as Value)
    }
  }

  /** Fills the first free slot from home on; the key must not be there yet. */
  #insert(a: number, b: number, c: number, d: number, value: Value): void {
    const last = this.#capacity - 1
    let slot = this.#home(a, b, c, d)
    while (this.#isUsed(slot)) slot = (slot + 1) & last
    this.#used[slot >>> 5] = (this.#used[slot >>> 5] ?? 0) | (1 << (slot & 31))
    const at = slot * this.#words
    this.#keys[at] = a
    if (this.#words > 1) this.#keys[at + 1] = b
    if (this.#words > 2) this.#keys[at + 2] = c
    if (this.#words > 3) this.#keys[at + 3] = d
    this.#values[slot] = value
    this.#size++
  }

  #isUsed(slot: number): boolean {
    return (((this.#used[slot >>> 5] ?? 0) >>> (slot & 31)) & 1) === 1
  }

  #holds(slot: number, a: number, b: number, c: number, d: number): boolean {
    const words = this.#words
    const at = slot * words
    return (
      this.#keys[at] === a &&
      (words < 2 || this.#keys[at + 1] === b) &&
      (words < 3 || this.#keys[at + 2] === c) &&
      (words < 4 || this.#keys[at + 3] === d)
    )
  }

  #homeOf(slot: number): number {
    const word = (index: number): number =>
      index < this.#words ? (this.#keys[slot * this.#words + index] ?? 0) : 0
    return this.#home(word(0), word(1), word(2), word(3))
  }

  #home(a: number, b: number, c: number, d: number): number {
    let hash = mixWord(this.#seed ^ a)
    if (this.#words > 1) hash = mixWord(hash ^ b)
    if (this.#words > 2) hash = mixWord(hash ^ c)
    if (this.#words > 3) hash = mixWord(hash ^ d)
    return hash & (this.#capacity - 1)
  }
}

function emptySlots<Value>(capacity: number): (Value | undefined)[] {
  return Array<Value | undefined>(capacity).fill(undefined)
}
