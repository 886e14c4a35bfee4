import type { IpAddress, IpFamily } from './address.ts'
import { LengthFilter } from './length-filter.ts'
import { comparePrefixes, hostPrefix, prefixContains, prefixOf } from './prefix.ts'
import type { IpPrefix } from './prefix.ts'
import { PrefixHash } from './prefix-hash.ts'

/** Below that, the hash tables stay in the cache and vain probes cost little. */
const FEWEST_FILTERED = 1024

/** One entry of a `PrefixTable`. */
export interface PrefixEntry<Value> {
  readonly prefix: IpPrefix
  readonly value: Value
}

/**
 * A map from prefixes to values with longest-prefix match, for a million prefixes and more.
 *
 * A look-up probes one hash table for each prefix length in use, the longest first, less those that a filter excludes;
 * nothing but numbers is stored for a prefix.
 * @example
 * const owners = new PrefixTable<string>()
 * owners.set(prefixOf(ipv4(0xc0000200), 24), 'example')
 * owners.longestMatch(ipv4(0xc0000207))?.value // 'example'
 */
export class PrefixTable<Value> {
  readonly #seed: number
  /** Those in use, the longest first. */
  readonly #ipv4: PrefixHash<Value>[] = []
  readonly #ipv6: PrefixHash<Value>[] = []
  readonly #sizes: Record<IpFamily, number> = { 4: 0, 6: 0 }
  readonly #filters: Record<IpFamily, LengthFilter | undefined> = { 4: undefined, 6: undefined }

  /** @param seed A secret random 32-bit number where strangers choose the prefixes, lest they make them collide. */
  constructor(seed = 0) {
    this.#seed = seed | 0
  }

  get size(): number {
    return this.#sizes[4] + this.#sizes[6]
  }

  /** Adds an entry, or replaces the value of the entry of this very prefix. */
  set(prefix: IpPrefix, value: Value): void {
    const hash = this.#hashFor(prefix)
    const before = hash.size
    hash.set(prefix.address, value)
    if (hash.size > before) this.#added(prefix)
  }

  /** @returns whether there was an entry of this very prefix. */
  delete(prefix: IpPrefix): boolean {
    const hashes = this.#hashes(prefix.address.family)
    const index = hashes.findIndex((hash) => hash.length === prefix.length)
    const hash = hashes[index]
    const slot = hash?.find(prefix.address) ?? -1
    if (hash === undefined || slot < 0) return false
    hash.remove(slot)
    if (hash.size === 0) hashes.splice(index, 1)
    this.#sizes[prefix.address.family]--
    return true
  }

  /** The value of this very prefix. */
  get(prefix: IpPrefix): Value | undefined {
    const hash = this.#hashes(prefix.address.family).find((each) => each.length === prefix.length)
    const slot = hash?.find(prefix.address) ?? -1
    return slot < 0 ? undefined : hash?.valueAt(slot)
  }

  /** The longest entry that `address` lies in. */
  longestMatch(address: IpAddress): PrefixEntry<Value> | undefined {
    return this.longestCover(hostPrefix(address))
  }

  /** The longest entry that contains the whole of `prefix`; `prefix` itself counts. */
  longestCover(prefix: IpPrefix): PrefixEntry<Value> | undefined {
    const filter = this.#filters[prefix.address.family]
    const lengths = filter?.bitsFor(prefix.address) ?? -1
    for (const hash of this.#hashes(prefix.address.family)) {
      if (hash.length > prefix.length || (lengths & hash.filterBit) === 0) continue
      const slot = hash.find(prefix.address)
      if (slot >= 0) return entryAt(hash, slot)
    }
    return undefined
  }

  /**
   * All entries that lie within `prefix`, itself included, in order of `comparePrefixes`. For each length in use this
   * looks at every entry, or at every possible prefix of that length, whichever are fewer.
   */
  inside(prefix: IpPrefix): PrefixEntry<Value>[] {
    const found: PrefixEntry<Value>[] = []
    for (const hash of this.#hashes(prefix.address.family)) {
      if (hash.length < prefix.length) continue
      if (2 ** (hash.length - prefix.length) < hash.size) collectByProbing(hash, prefix, found)
      else collectByScanning(hash, prefix, found)
    }
    return found.sort((x, y) => comparePrefixes(x.prefix, y.prefix))
  }

  /** All entries in no order that means anything. The table must not change meanwhile. */
  *[Symbol.iterator](): Generator<PrefixEntry<Value>, void, undefined> {
    for (const hash of [...this.#ipv4, ...this.#ipv6])
      for (const slot of hash.slots()) yield entryAt(hash, slot)
  }

  #hashes(family: IpFamily): PrefixHash<Value>[] {
    return family === 4 ? this.#ipv4 : this.#ipv6
  }

  #added({ address, length }: IpPrefix): void {
    const { family } = address
    const count = ++this.#sizes[family]
    const filter = this.#filters[family]
    if (filter !== undefined && count <= filter.capacity) filter.note(address, length)
    else if (count >= FEWEST_FILTERED) this.#filters[family] = this.#newFilter(family, 2 * count)
  }

  #newFilter(family: IpFamily, capacity: number): LengthFilter {
    const filter = new LengthFilter(family, capacity)
    for (const hash of this.#hashes(family))
      for (const slot of hash.slots()) filter.note(hash.prefixAt(slot).address, hash.length)
    return filter
  }

  #hashFor(prefix: IpPrefix): PrefixHash<Value> {
    const hashes = this.#hashes(prefix.address.family)
    const index = hashes.findIndex((hash) => hash.length <= prefix.length)
    const existing = hashes[index]
    if (existing?.length === prefix.length) return existing
    const hash = new PrefixHash<Value>(prefix.address.family, prefix.length, this.#seed)
    hashes.splice(index < 0 ? hashes.length : index, 0, hash)
    return hash
  }
}

function entryAt<Value>(hash: PrefixHash<Value>, slot: number): PrefixEntry<Value> {
  return { prefix: hash.prefixAt(slot), value: hash.valueAt(slot) }
}

function collectByScanning<Value>(
  hash: PrefixHash<Value>,
  within: IpPrefix,
  found: PrefixEntry<Value>[]
): void {
  for (const slot of hash.slots()) {
    const entry = entryAt(hash, slot)
    if (prefixContains(within, entry.prefix)) found.push(entry)
  }
}

function collectByProbing<Value>(
  hash: PrefixHash<Value>,
  within: IpPrefix,
  found: PrefixEntry<Value>[]
): void {
  const count = 2 ** (hash.length - within.length)
  for (let index = 0; index < count; index++) {
    const slot = hash.find(nthInside(within, hash.length, index).address)
    if (slot >= 0) found.push(entryAt(hash, slot))
  }
}

/** The prefix number `index` among those of `length` bits within `prefix`. */
function nthInside(prefix: IpPrefix, length: number, index: number): IpPrefix {
  // Bits of `index` that stand in the word which holds address bits 32·word … 32·word + 31.
  const part = (word: number): number => {
    const shift = 32 * (word + 1) - length
    if (shift <= -32 || shift >= 32) return 0
    return shift >= 0 ? index << shift : Math.floor(index / 2 ** -shift) | 0
  }
  const { family, a, b, c, d } = prefix.address
  return prefixOf({ family, a: a | part(0), b: b | part(1), c: c | part(2), d: d | part(3) }, length)
}
