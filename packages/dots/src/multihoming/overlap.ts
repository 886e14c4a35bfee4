import { comparePrefixes, prefixContains, prefixesOverlap } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { Target } from '../domain/target.ts'

/** Whether two targets share an address. RFC 9132 §4.4.1.3: ports and protocols do not count. */
export function targetsOverlap(x: Target, y: Target): boolean {
  return x.prefixes.some((a) => y.prefixes.some((b) => prefixesOverlap(a, b)))
}

/** The heaps into which things fall when all that overlap, directly or by way of others, belong together. */
export function overlapGroups<Thing extends { readonly target: Target }>(
  things: readonly Thing[]
): Thing[][] {
  const heaps = new Heaps(things.length)
  const owned = things
    .flatMap((thing, owner) => thing.target.prefixes.map((prefix) => ({ prefix, owner })))
    .toSorted((x, y) => comparePrefixes(x.prefix, y.prefix))
  // In this order all that lies inside a prefix follows it, so the last outermost prefix is the one to ask.
  let outermost: { readonly prefix: IpPrefix; readonly owner: number } | undefined
  for (const each of owned)
    if (outermost !== undefined && prefixContains(outermost.prefix, each.prefix))
      heaps.join(outermost.owner, each.owner)
    else outermost = each
  const groups = new Map<number, Thing[]>()
  for (const [index, thing] of things.entries()) {
    const heap = heaps.find(index)
    const group = groups.get(heap)
    if (group === undefined) groups.set(heap, [thing])
    else group.push(thing)
  }
  return [...groups.values()]
}

/** Disjoint sets of 0 … count − 1, with path halving. */
class Heaps {
  readonly #parent: number[]

  constructor(count: number) {
    this.#parent = Array.from({ length: count }, (_, index) => index)
  }

  find(member: number): number {
    let at = member
    for (;;) {
      const parent = this.#parent[at] ?? at
      if (parent === at) return at
      const grandparent = this.#parent[parent] ?? parent
      this.#parent[at] = grandparent
      at = grandparent
    }
  }

  join(a: number, b: number): void {
    this.#parent[this.find(b)] = this.find(a)
  }
}
