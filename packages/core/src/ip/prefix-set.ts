import { addressBits, ipv4, ipv6 } from './address.ts'
import type { IpAddress } from './address.ts'
import { comparePrefixes, equalPrefixes, prefixContains, prefixOf, prefixesOverlap } from './prefix.ts'
import type { IpPrefix } from './prefix.ts'

/** What remains of `prefix` without `holes`: the fewest prefixes that hold exactly those addresses, in order. */
export function subtractPrefixes(prefix: IpPrefix, holes: readonly IpPrefix[]): IpPrefix[] {
  const touching = holes.filter((hole) => prefixesOverlap(prefix, hole))
  if (touching.length === 0) return [prefix]
  if (touching.some((hole) => prefixContains(hole, prefix))) return []
  // A hole is longer than the prefix here, so the prefix has halves.
  const [lower, upper] = halves(prefix)
  return [...subtractPrefixes(lower, touching), ...subtractPrefixes(upper, touching)]
}

/** The fewest prefixes that hold exactly the addresses of `prefixes`, in order of `comparePrefixes`. */
export function mergePrefixes(prefixes: readonly IpPrefix[]): IpPrefix[] {
  const merged: IpPrefix[] = []
  for (const prefix of prefixes.toSorted(comparePrefixes)) {
    const last = merged.at(-1)
    if (last !== undefined && prefixContains(last, prefix)) continue
    merged.push(prefix)
    joinSiblings(merged)
  }
  return merged
}

/** What two sets have in common. Both are as `mergePrefixes` makes them, and so is the result. */
export function commonPrefixes(xs: readonly IpPrefix[], ys: readonly IpPrefix[]): IpPrefix[] {
  const common: IpPrefix[] = []
  let [atX, atY] = [0, 0]
  for (;;) {
    const x = xs[atX]
    const y = ys[atY]
    if (x === undefined || y === undefined) return common
    const isXInside = prefixContains(y, x)
    if (isXInside || prefixContains(x, y)) common.push(isXInside ? x : y)
    // What contains the other may contain the next one, too.
    if (isXInside || (!prefixContains(x, y) && comparePrefixes(x, y) < 0)) atX++
    else atY++
  }
}

/** What of a set is not in another. Both are as `mergePrefixes` makes them, and so is the result. */
export function otherPrefixes(prefixes: readonly IpPrefix[], others: readonly IpPrefix[]): IpPrefix[] {
  let first = 0
  return prefixes.flatMap((prefix) => {
    const isPassed = (other: IpPrefix): boolean =>
      comparePrefixes(other, prefix) < 0 && !prefixContains(other, prefix)
    for (let other = others[first]; other !== undefined && isPassed(other); other = others[first]) first++
    let end = first
    for (let other = others[end]; other !== undefined && prefixesOverlap(prefix, other); other = others[end])
      end++
    return subtractPrefixes(prefix, others.slice(first, end))
  })
}

/** Replaces the last two by their parent as long as they are its two halves. */
function joinSiblings(merged: IpPrefix[]): void {
  for (;;) {
    const lower = merged.at(-2)
    const upper = merged.at(-1)
    if (lower === undefined || upper === undefined || lower.length !== upper.length) return
    if (lower.length === 0) return
    const parent = prefixOf(lower.address, lower.length - 1)
    if (!equalPrefixes(parent, prefixOf(upper.address, upper.length - 1))) return
    merged.splice(-2, 2, parent)
  }
}

function halves(prefix: IpPrefix): [lower: IpPrefix, upper: IpPrefix] {
  const length = prefix.length + 1
  return [prefixOf(prefix.address, length), prefixOf(withBit(prefix.address, prefix.length), length)]
}

/** `address` with bit `index` set, counted from 0 at the most significant. */
function withBit(address: IpAddress, index: number): IpAddress {
  const bit = (word: number): number => (index >> 5 === word ? 1 << (31 - (index & 31)) : 0)
  if (addressBits(address.family) === 32) return ipv4(address.a | bit(0))
  return ipv6(address.a | bit(0), address.b | bit(1), address.c | bit(2), address.d | bit(3))
}
