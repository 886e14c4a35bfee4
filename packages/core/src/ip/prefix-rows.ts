import type { IpAddress, IpFamily } from './address.ts'
import { comparePrefixes, prefixContains } from './prefix.ts'
import type { IpPrefix } from './prefix.ts'
import { wordMask } from './word-mask.ts'

/** A prefix and a number that stands for its value. */
export interface NumberedPrefix {
  readonly prefix: IpPrefix
  readonly number: number
}

/** Row 0 is no prefix. */
export const NO_ROW = 0

/** 4 MiB of index. */
const MOST_INDEX_BITS = 20

/** What stands behind the words of the address in a row. */
const LENGTH = 0
const PARENT = 1
const NUMBER = 2
const FIELDS = 3

/**
 * The prefixes of one family as rows of numbers in order of `comparePrefixes`, in which all that lies inside a prefix
 * follows it. The longest prefix that contains an address is the last row not behind it, or one of those that this row
 * lies in; so each row knows its parent, the smallest prefix that it lies in.
 *
 * A look-up reads three places of memory as a rule, however many rows there are: the index, which tells by the leading
 * bits of an address between which rows to search; a few rows side by side; and one parent.
 */
export class PrefixRows {
  readonly size: number
  /** Words of an address. */
  readonly #words: number
  readonly #width: number
  readonly #rows: Uint32Array
  /** The leading bits of `a` that the index does not look at. */
  readonly #indexShift: number
  /** For each number that leading bits can be, the first row whose bits are not below. */
  readonly #index: Uint32Array

  /** @param sorted In order of `comparePrefixes`, all of `family`, none twice. */
  constructor(family: IpFamily, sorted: readonly NumberedPrefix[]) {
    this.size = sorted.length
    this.#words = family === 4 ? 1 : 4
    this.#width = this.#words + FIELDS
    this.#rows = new Uint32Array((sorted.length + 1) * this.#width)
    const indexBits = Math.min(MOST_INDEX_BITS, Math.max(1, Math.ceil(Math.log2(sorted.length + 1))))
    this.#indexShift = 32 - indexBits
    this.#index = new Uint32Array(2 ** indexBits + 1)
    this.#fill(sorted)
  }

  /** The row of the longest prefix that contains the whole of `prefix`, itself included; or `NO_ROW`. */
  longestCover({ address, length }: IpPrefix): number {
    let row = this.#lastNotBehind(address, length)
    // It is no longer than `prefix` if it contains its address: else it would stand behind it.
    while (row !== NO_ROW && !this.#contains(row, address)) row = this.#field(row, PARENT)
    return row
  }

  lengthAt(row: number): number {
    return this.#field(row, LENGTH)
  }

  numberAt(row: number): number {
    return this.#field(row, NUMBER)
  }

  #fill(sorted: readonly NumberedPrefix[]): void {
    const enclosing: { readonly row: number; readonly prefix: IpPrefix }[] = []
    let indexed = 0
    for (const [before, { prefix, number }] of sorted.entries()) {
      const row = before + 1
      for (let last = enclosing.at(-1); last !== undefined; last = enclosing.at(-1)) {
        if (prefixContains(last.prefix, prefix)) break
        enclosing.pop()
      }
      this.#put(row, prefix, enclosing.at(-1)?.row ?? NO_ROW, number)
      enclosing.push({ row, prefix })
      const leading = prefix.address.a >>> this.#indexShift
      while (indexed <= leading) this.#index[indexed++] = row
    }
    this.#index.fill(sorted.length + 1, indexed)
  }

  #put(row: number, { address, length }: IpPrefix, parent: number, number: number): void {
    const words = [address.a, address.b, address.c, address.d].slice(0, this.#words)
    this.#rows.set([...words, length, parent, number], row * this.#width)
  }

  /** The last row whose prefix is not behind this one in order of `comparePrefixes`. */
  #lastNotBehind(address: IpAddress, length: number): number {
    const leading = address.a >>> this.#indexShift
    let low = this.#index[leading] ?? 0
    let high = this.#index[leading + 1] ?? 0
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#isBehind(middle, address, length)) high = middle
      else low = middle + 1
    }
    return low - 1
  }

  #isBehind(row: number, address: IpAddress, length: number): boolean {
    const at = row * this.#width
    const a = this.#rows[at] ?? 0
    if (a !== address.a) return a > address.a
    if (this.#words > 1) {
      const b = this.#rows[at + 1] ?? 0
      if (b !== address.b) return b > address.b
      const c = this.#rows[at + 2] ?? 0
      if (c !== address.c) return c > address.c
      const d = this.#rows[at + 3] ?? 0
      if (d !== address.d) return d > address.d
    }
    return this.#field(row, LENGTH) > length
  }

  #contains(row: number, address: IpAddress): boolean {
    const at = row * this.#width
    const length = this.#field(row, LENGTH)
    if ((((this.#rows[at] ?? 0) ^ address.a) & wordMask(length)) !== 0) return false
    if (length <= 32) return true
    return (
      (((this.#rows[at + 1] ?? 0) ^ address.b) & wordMask(length - 32)) === 0 &&
      (((this.#rows[at + 2] ?? 0) ^ address.c) & wordMask(length - 64)) === 0 &&
      (((this.#rows[at + 3] ?? 0) ^ address.d) & wordMask(length - 96)) === 0
    )
  }

  #field(row: number, field: number): number {
    return this.#rows[row * this.#width + this.#words + field] ?? 0
  }
}

/** In order of `comparePrefixes`; of those that are the same prefix, only the last. */
export function sortedOnce(prefixes: readonly NumberedPrefix[]): NumberedPrefix[] {
  // Sorting keeps the order of equals.
  const sorted = prefixes.toSorted((x, y) => comparePrefixes(x.prefix, y.prefix))
  return sorted.filter((each, index) => {
    const next = sorted[index + 1]
    return next === undefined || comparePrefixes(each.prefix, next.prefix) !== 0
  })
}
