import { equalIpAddresses } from '@breakwater/core'
import { commonPrefixLength } from './common-prefix-length.ts'
import { isDeprecated } from './deprecation.ts'
import type { LocalAddress } from '../../domain/local-address.ts'
import { asMapped } from './mapped-address.ts'
import { mobilityRank } from './mobility-rank.ts'
import { preferWith } from './rule.ts'
import type { Rule } from './rule.ts'
import { scopeOf } from './scope.ts'
import type { Destination, SelectionContext } from './selection-context.ts'

/** What two candidates are compared for. */
export interface SourceQuestion {
  readonly context: SelectionContext
  readonly destination: Destination
}

export type SourceRule = Rule<LocalAddress, SourceQuestion>

/** The rules of RFC 6724 §5, in order. */
export const sourceRules: readonly SourceRule[] = [
  rule1SameAddress,
  rule2AppropriateScope,
  rule3AvoidDeprecated,
  rule4HomeAddress,
  rule5OutgoingInterface,
  rule5Point5NextHopPrefix,
  rule6MatchingLabel,
  rule7TemporaryAddress,
  rule8LongestMatchingPrefix
]

function rule1SameAddress(x: LocalAddress, y: LocalAddress, { destination }: SourceQuestion): number {
  const same = (local: LocalAddress): boolean =>
    equalIpAddresses(asMapped(local.address), asMapped(destination.address))
  return preferWith(same(x), same(y))
}

/** The smallest scope that is not too small for the destination; else the largest. */
function rule2AppropriateScope(x: LocalAddress, y: LocalAddress, { destination }: SourceQuestion): number {
  const [ofX, ofY, wanted] = [scopeOf(x.address), scopeOf(y.address), scopeOf(destination.address)]
  if (ofX === ofY) return 0
  return Math.min(ofX, ofY) < wanted ? ofY - ofX : ofX - ofY
}

function rule3AvoidDeprecated(x: LocalAddress, y: LocalAddress, { context }: SourceQuestion): number {
  const isPreferred = (local: LocalAddress): boolean => !isDeprecated(local, context.translation?.converted)
  return preferWith(isPreferred(x), isPreferred(y))
}

function rule4HomeAddress(x: LocalAddress, y: LocalAddress, { context }: SourceQuestion): number {
  const prefersCareOf = context.preferences?.prefersCareOf === true
  return mobilityRank(x, prefersCareOf) - mobilityRank(y, prefersCareOf)
}

function rule5OutgoingInterface(x: LocalAddress, y: LocalAddress, { destination }: SourceQuestion): number {
  const outgoing = destination.route.interface?.name
  return preferWith(x.interface.name === outgoing, y.interface.name === outgoing)
}

/**
 * An address whose router nobody knows loses to none: the RFC ties it with both kinds, which orders nothing where all three
 * meet. So this rule avoids what another router assigned, and would be dropped on its way (RFC 2827).
 */
function rule5Point5NextHopPrefix(x: LocalAddress, y: LocalAddress, { destination }: SourceQuestion): number {
  const { nextHop } = destination.route
  if (nextHop === undefined) return 0
  const suits = ({ advertisedBy }: LocalAddress): boolean =>
    advertisedBy === undefined || advertisedBy.some((router) => equalIpAddresses(router, nextHop))
  return preferWith(suits(x), suits(y))
}

function rule6MatchingLabel(x: LocalAddress, y: LocalAddress, question: SourceQuestion): number {
  return preferWith(hasLabelOf(x, question), hasLabelOf(y, question))
}

function rule7TemporaryAddress(x: LocalAddress, y: LocalAddress, { context }: SourceQuestion): number {
  const prefersPublic = context.preferences?.prefersPublic === true
  const isWanted = ({ isTemporary }: LocalAddress): boolean => (isTemporary === true) !== prefersPublic
  return preferWith(isWanted(x), isWanted(y))
}

function rule8LongestMatchingPrefix(
  x: LocalAddress,
  y: LocalAddress,
  { destination }: SourceQuestion
): number {
  return commonPrefixLength(y, destination.address) - commonPrefixLength(x, destination.address)
}

/** Label(S) = Label(D). */
export function hasLabelOf(local: LocalAddress, { context, destination }: SourceQuestion): boolean {
  const ofSource = context.policy.lookUp(local.address, local.interface.name)
  return ofSource.label === context.policy.lookUp(destination.address, zoneOf(destination)).label
}

/** The zone that a destination is in: what it says, or that of the interface which leads there. */
export function zoneOf({ zone, route }: Destination): string | undefined {
  return zone ?? route.interface?.name
}
