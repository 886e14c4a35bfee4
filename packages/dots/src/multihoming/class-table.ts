import { PrefixTable, comparePrefixes, prefixContains } from '@breakwater/core'
import type { IpPrefix, PrefixEntry } from '@breakwater/core'

/**
 * The prefixes of a site, built once and then only read: the longest match for a prefix, and whether the match changes
 * inside it. The second question is asked as often as the first, and nearly always answered by a flag.
 */
export class ClassTable<Value> {
  readonly #table: PrefixTable<Leaf<Value>>
  /** In order of `comparePrefixes`, where the entries inside a prefix follow it without a gap. */
  readonly #entries: readonly PrefixEntry<Value>[]

  constructor(entries: readonly PrefixEntry<Value>[]) {
    this.#entries = entries.toSorted((x, y) => comparePrefixes(x.prefix, y.prefix))
    const leaves = new Map<Value, Leaf<Value>>()
    const branches = new Map<Value, Leaf<Value>>()
    const marked = this.#entries.map(({ prefix, value }, index) => {
      const isLeaf = !this.#liesInside(index + 1, prefix)
      const known = isLeaf ? leaves : branches
      const shared = known.get(value) ?? { kind: 'one', value, isLeaf }
      known.set(value, shared)
      return { prefix, value: shared }
    })
    this.#table = new PrefixTable(marked)
  }

  /** The value of the longest entry that contains the whole of `prefix`; undefined when there is none. */
  cover(prefix: IpPrefix): Value | undefined {
    return this.#table.coveringValue(prefix)?.value
  }

  /** What the longest match gives for the addresses of `prefix`. */
  matches(prefix: IpPrefix): Matches<Value> {
    const cover = this.#table.coveringValue(prefix)
    if (cover?.isLeaf === true) return cover
    if (this.#liesInside(this.#firstAfter(prefix), prefix)) return SEVERAL
    return cover ?? NONE
  }

  /** The entries inside `prefix`, itself not counted, in order of `comparePrefixes`; at most `most`. */
  inside(prefix: IpPrefix, most: number): readonly PrefixEntry<Value>[] {
    const start = this.#firstAfter(prefix)
    let end = start
    while (end - start < most && this.#liesInside(end, prefix)) end++
    return this.#entries.slice(start, end)
  }

  #liesInside(index: number, prefix: IpPrefix): boolean {
    const entry = this.#entries[index]
    return entry !== undefined && prefixContains(prefix, entry.prefix)
  }

  /** The index of the first entry behind `prefix` itself. */
  #firstAfter(prefix: IpPrefix): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = this.#entries[middle]
      if (entry !== undefined && comparePrefixes(entry.prefix, prefix) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

export type Matches<Value> =
  /** The same entry's value for all of them. */
  | { readonly kind: 'one'; readonly value: Value }
  | { readonly kind: 'none' }
  /** There are entries inside. */
  | { readonly kind: 'several' }

/** One object for all entries of one value that have, or have not, entries inside. */
interface Leaf<Value> {
  readonly kind: 'one'
  readonly value: Value
  readonly isLeaf: boolean
}

const NONE = { kind: 'none' } as const
const SEVERAL = { kind: 'several' } as const
