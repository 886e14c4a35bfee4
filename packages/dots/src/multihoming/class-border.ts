import { prefixContains, subtractPrefixes } from '@breakwater/core'
import type { IpPrefix, PrefixEntry } from '@breakwater/core'
import type { ClassTable } from './class-table.ts'

/**
 * A prefix of so many classes is a slip of the operator's (`0.0.0.0/0`), and its pieces would fill memory.
 */
const MOST_BORDERS = 4096

/** Pieces of one value; `undefined`: in no entry of the table. */
export interface BorderPiece<Value> {
  readonly value: Value | undefined
  readonly prefixes: readonly IpPrefix[]
}

interface Region<Value> {
  readonly prefix: IpPrefix
  readonly value: Value | undefined
  /** Entries inside this region and in no smaller one. */
  readonly holes: IpPrefix[]
}

/**
 * Splits a prefix where the longest match in the table changes, pieces of equal value together.
 * @returns undefined when there are more borders inside the prefix than anybody can mean.
 */
export function splitAtClassBorders<Value>(
  table: ClassTable<Value>,
  prefix: IpPrefix
): BorderPiece<Value>[] | undefined {
  const inner = table.inside(prefix, MOST_BORDERS + 1)
  if (inner.length > MOST_BORDERS) return undefined
  const pieces = new Map<Value | undefined, IpPrefix[]>()
  for (const region of regionsOf(prefix, table.cover(prefix), inner)) {
    const rest = subtractPrefixes(region.prefix, region.holes)
    if (rest.length > 0) pieces.set(region.value, [...(pieces.get(region.value) ?? []), ...rest])
  }
  return [...pieces].map(([value, prefixes]) => ({ value, prefixes }))
}

/** The prefix and the entries inside it as a tree: in order of `comparePrefixes` an entry follows what contains it. */
function regionsOf<Value>(
  prefix: IpPrefix,
  cover: Value | undefined,
  inner: readonly PrefixEntry<Value>[]
): Region<Value>[] {
  const root: Region<Value> = { prefix, value: cover, holes: [] }
  const regions = [root]
  const enclosing = [root]
  for (const entry of inner) {
    while (enclosing.length > 1 && !prefixContains(enclosing.at(-1)?.prefix ?? prefix, entry.prefix))
      enclosing.pop()
    enclosing.at(-1)?.holes.push(entry.prefix)
    const region: Region<Value> = { prefix: entry.prefix, value: entry.value, holes: [] }
    regions.push(region)
    enclosing.push(region)
  }
  return regions
}
