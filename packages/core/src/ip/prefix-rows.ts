import type { IpAddress, IpFamily } from './address.ts'
import { equalIpAddresses, ipv4, ipv6 } from './address.ts'
import { comparePrefixes, prefixContains } from './prefix.ts'
import type { IpPrefix } from './prefix.ts'

/** A prefix and a positive number that stands for its value. */
export interface NumberedPrefix {
  readonly prefix: IpPrefix
  readonly number: number
}

/** The number of what is in no prefix. */
export const NO_NUMBER = 0

/** 4 MiB of index. */
const MOST_INDEX_BITS = 20

/** What stands behind the words of the address in a row. */
const LENGTH = 0
const NUMBER = 1
const FIELDS = 2

/** A prefix among those that it lies in. */
interface Nested extends NumberedPrefix {
  readonly row: number
  readonly parent: Nested | undefined
}

/**
 * The prefixes of one family as spans of addresses with the same longest prefix, one row of numbers each, in order. So the
 * longest prefix that contains an address stands in the last row that does not begin behind it.
 *
 * A look-up reads two places of memory as a rule, however many rows there are: the index, which tells by the leading bits
 * of an address between which rows to search, and a few rows side by side.
 */
export class PrefixRows {
  readonly size: number
  /** Words of an address. */
  readonly #words: number
  readonly #width: number
  #rows: Uint32Array
  /** Of a row where a prefix begins, the row of the smallest prefix that it lies in; 0: none. */
  #parents: Uint32Array
  #count = 0
  /** The leading bits of `a` that the index does not look at. */
  readonly #indexShift: number
  /** For each number that leading bits can be, the first row whose bits are not below. */
  readonly #index: Uint32Array

  /** @param sorted In order of `comparePrefixes`, all of `family`, none twice. */
  constructor(family: IpFamily, sorted: readonly NumberedPrefix[]) {
    this.size = sorted.length
    this.#words = family === 4 ? 1 : 4
    this.#width = this.#words + FIELDS
    // Each prefix has a row where it begins and at most one where it ends. Row 0 is no prefix.
    this.#rows = new Uint32Array((2 * sorted.length + 1) * this.#width)
    this.#parents = new Uint32Array(2 * sorted.length + 1)
    const indexBits = Math.min(MOST_INDEX_BITS, Math.max(1, Math.ceil(Math.log2(sorted.length + 1))))
    this.#indexShift = 32 - indexBits
    this.#index = new Uint32Array(2 ** indexBits + 1)
    this.#fill(sorted)
  }

  /** The row of the longest prefix that contains the whole of `prefix`, itself included. */
  longestCover({ address, length }: IpPrefix): number {
    let row = this.#lastNotBehind(address)
    while (this.lengthAt(row) > length) row = this.#parents[row] ?? 0
    return row
  }

  lengthAt(row: number): number {
    return this.#rows[row * this.#width + this.#words + LENGTH] ?? 0
  }

  /** `NO_NUMBER`: there is no such prefix. */
  numberAt(row: number): number {
    return this.#rows[row * this.#width + this.#words + NUMBER] ?? NO_NUMBER
  }

  #fill(sorted: readonly NumberedPrefix[]): void {
    let around: Nested | undefined
    for (const { prefix, number } of sorted) {
      around = this.#leave(around, prefix)
      const row = this.#append(prefix.address, { prefix, number }, around?.row ?? 0)
      around = { prefix, number, row, parent: around }
    }
    this.#leave(around, undefined)
    this.#rows = this.#rows.slice(0, (this.#count + 1) * this.#width)
    this.#parents = this.#parents.slice(0, this.#count + 1)
    this.#fillIndex()
  }

  /** Adds a row behind each prefix that ends before `next`, unless another one begins or ends there, too. */
  #leave(left: Nested | undefined, next: IpPrefix | undefined): Nested | undefined {
    const ends = ({ prefix }: Nested): boolean => next === undefined || !prefixContains(prefix, next)
    let around = left
    while (around !== undefined && ends(around)) {
      const start = addressBehind(around.prefix)
      around = around.parent
      if (start === undefined || (next !== undefined && equalIpAddresses(start, next.address))) continue
      const outer = around === undefined ? undefined : addressBehind(around.prefix)
      if (outer !== undefined && equalIpAddresses(start, outer)) continue
      // A shorter prefix begins where the one around begins, never here: so nobody asks for a parent.
      this.#append(start, around, 0)
    }
    return around
  }

  #append({ a, b, c, d }: IpAddress, within: NumberedPrefix | undefined, parent: number): number {
    const row = ++this.#count
    const at = row * this.#width
    this.#rows.set([a, b, c, d].slice(0, this.#words), at)
    this.#rows[at + this.#words + LENGTH] = within?.prefix.length ?? 0
    this.#rows[at + this.#words + NUMBER] = within?.number ?? NO_NUMBER
    this.#parents[row] = parent
    return row
  }

  #fillIndex(): void {
    let indexed = 0
    for (let row = 1; row <= this.#count; row++) {
      const leading = (this.#rows[row * this.#width] ?? 0) >>> this.#indexShift
      while (indexed <= leading) this.#index[indexed++] = row
    }
    this.#index.fill(this.#count + 1, indexed)
  }

  #lastNotBehind(address: IpAddress): number {
    const leading = address.a >>> this.#indexShift
    let low = this.#index[leading] ?? 0
    let high = this.#index[leading + 1] ?? 0
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#isBehind(middle, address)) high = middle
      else low = middle + 1
    }
    return low - 1
  }

  #isBehind(row: number, address: IpAddress): boolean {
    const at = row * this.#width
    const a = this.#rows[at] ?? 0
    if (a !== address.a || this.#words === 1) return a > address.a
    const b = this.#rows[at + 1] ?? 0
    if (b !== address.b) return b > address.b
    const c = this.#rows[at + 2] ?? 0
    if (c !== address.c) return c > address.c
    return (this.#rows[at + 3] ?? 0) > address.d
  }
}

/** The first address behind a prefix; undefined when it ends with the last address there is. */
function addressBehind({ address, length }: IpPrefix): IpAddress | undefined {
  const words = [address.a, address.b, address.c, address.d]
  // Adds 1 at the last bit of the prefix, and carries.
  let step = 2 ** (31 - ((length + 31) % 32))
  for (let at = (length - 1) >> 5; at >= 0; at--) {
    const sum = (words[at] ?? 0) + step
    words[at] = sum % 2 ** 32
    if (sum < 2 ** 32) return addressOf(address.family, words)
    step = 1
  }
  return undefined
}

function addressOf(family: IpFamily, [a = 0, b = 0, c = 0, d = 0]: readonly number[]): IpAddress {
  return family === 4 ? ipv4(a) : ipv6(a, b, c, d)
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
