import { prefixContains, prefixesOverlap } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { Target } from '@breakwater/dots'
import { halvesOf } from '../oracle/halves.ts'

/** What a target is narrowed to besides its prefixes; empty lists narrow nothing. */
type Scope = Pick<Target, 'ports' | 'protocols'>

/** What is narrowed to nothing but its prefixes. */
export const WHOLE: Scope = { ports: [], protocols: [] }

/** Whether these targets together protect all of a prefix in this scope; worked out without the code under test. */
export function isCovered(part: IpPrefix, scope: Scope, targets: readonly Target[]): boolean {
  const wide = targets.filter((target) => isWideEnough(target, scope)).flatMap(({ prefixes }) => prefixes)
  return isWithin(part, wide)
}

export function overlap(one: Target, other: Target): boolean {
  return one.prefixes.some((own) => other.prefixes.some((each) => prefixesOverlap(own, each)))
}

/** Halves a prefix until each half lies in one of the others or meets none of them. */
function isWithin(part: IpPrefix, others: readonly IpPrefix[]): boolean {
  const near = others.filter((each) => prefixesOverlap(each, part))
  if (near.some((each) => prefixContains(each, part))) return true
  return near.length > 0 && halvesOf(part).every((half) => isWithin(half, near))
}

function isWideEnough(outer: Scope, inner: Scope): boolean {
  const protocols =
    outer.protocols.length === 0 ||
    (inner.protocols.length > 0 && inner.protocols.every((each) => outer.protocols.includes(each)))
  const ports = inner.ports.length === 0 ? [{ lower: 0, upper: 65_535 }] : inner.ports
  return (
    protocols &&
    (outer.ports.length === 0 || ports.every(({ lower, upper }) => isInPorts(lower, upper, outer)))
  )
}

function isInPorts(lower: number, upper: number, { ports }: Scope): boolean {
  let next = lower
  for (const range of ports.toSorted((a, b) => a.lower - b.lower))
    if (range.lower <= next && range.upper >= next) next = range.upper + 1
  return next > upper
}
