import type { IpAddress, IpFamily } from './address.ts'
import { mixWord } from './mix-word.ts'

/** Belongs to every address: lengths too short for the filter to tell. */
const ALWAYS = 1 << 31

/** How many leading bits choose the bucket: shorter prefixes are few, and their hash tables small. */
const LEADING_BITS: Record<IpFamily, number> = { 4: 16, 6: 32 }

/**
 * The bit that stands for prefixes of `length`, to be tested against `LengthFilter.bitsFor`. Lengths that are 31 apart
 * share one.
 */
export function filterBit(family: IpFamily, length: number): number {
  const beyond = length - LEADING_BITS[family]
  return beyond < 0 ? ALWAYS : 1 << (beyond % 31)
}

/**
 * Says which prefix lengths a look-up need not probe. A bucket, chosen by the leading bits of an address, has one bit
 * for each length that occurs below those bits. Lengths and addresses may share a bit or a bucket, and a deleted prefix
 * leaves its bit behind: then a probe is made in vain, but none is ever left out.
 */
export class LengthFilter {
  readonly #family: IpFamily
  readonly #buckets: Int32Array
  /** Beyond so many prefixes, buckets become so full that a larger filter pays. */
  readonly capacity: number

  constructor(family: IpFamily, entries: number) {
    this.capacity = entries
    this.#family = family
    const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, entries)))
    this.#buckets = new Int32Array(family === 4 ? Math.min(wanted, 0x10000) : wanted)
  }

  /** Notes that a prefix of `length` begins at `address`. */
  note(address: IpAddress, length: number): void {
    const bucket = this.#bucket(address)
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) | filterBit(this.#family, length)
  }

  /** The bits of all lengths that may hold a prefix of `address`. */
  bitsFor(address: IpAddress): number {
    return (this.#buckets[this.#bucket(address)] ?? 0) | ALWAYS
  }

  #bucket(address: IpAddress): number {
    return mixWord(this.#family === 4 ? address.a >>> 16 : address.a | 0) & (this.#buckets.length - 1)
  }
}
