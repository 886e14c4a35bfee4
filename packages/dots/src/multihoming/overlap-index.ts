import { comparePrefixes, prefixContains } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { Target } from '../domain/target.ts'

interface Row {
  readonly prefix: IpPrefix
  /** Index of the thing that has it. */
  readonly owner: number
  /** The smallest one that it lies in. */
  readonly parent: Row | undefined
}

/** Finds which of many things overlap a target, without looking at all of them. */
export class OverlapIndex<Thing extends { readonly target: Target }> {
  readonly #things: readonly Thing[]
  /** In order of `comparePrefixes`, where all that lies inside a prefix follows it without a gap. */
  readonly #rows: readonly Row[]

  constructor(things: readonly Thing[]) {
    this.#things = things
    this.#rows = nested(
      things
        .flatMap((thing, owner) => thing.target.prefixes.map((prefix) => ({ prefix, owner })))
        .sort((x, y) => comparePrefixes(x.prefix, y.prefix))
    )
  }

  /** Those that share an address with `target`, in the order in which they were given. */
  overlapping(target: Target): Thing[] {
    const owners = new Set<number>()
    for (const prefix of target.prefixes) this.#collect(prefix, owners)
    return [...owners].sort((a, b) => a - b).flatMap((owner) => this.#things[owner] ?? [])
  }

  /** Of two overlapping prefixes one contains the other. */
  #collect(prefix: IpPrefix, owners: Set<number>): void {
    const start = this.#firstNotBefore(prefix)
    for (let at = start; at < this.#rows.length; at++) {
      const row = this.#rows[at]
      if (row === undefined || !prefixContains(prefix, row.prefix)) break
      owners.add(row.owner)
    }
    for (let row = this.#rows[start - 1]; row !== undefined; row = row.parent)
      if (prefixContains(row.prefix, prefix)) owners.add(row.owner)
  }

  #firstNotBefore(prefix: IpPrefix): number {
    let low = 0
    let high = this.#rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const row = this.#rows[middle]
      if (row !== undefined && comparePrefixes(row.prefix, prefix) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function nested(sorted: readonly Omit<Row, 'parent'>[]): Row[] {
  let last: Row | undefined
  return sorted.map((each) => {
    while (last !== undefined && !prefixContains(last.prefix, each.prefix)) last = last.parent
    last = { ...each, parent: last }
    return last
  })
}
