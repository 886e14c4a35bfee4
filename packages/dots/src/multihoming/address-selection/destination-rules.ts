import { commonPrefixLength } from './common-prefix-length.ts'
import { isDeprecated } from './deprecation.ts'
import type { LocalAddress } from '../../domain/local-address.ts'
import { mobilityRank } from './mobility-rank.ts'
import { preferWith } from './rule.ts'
import type { Rule } from './rule.ts'
import { scopeOf } from './scope.ts'
import type { Destination, SelectionContext } from './selection-context.ts'
import { hasLabelOf, zoneOf } from './source-rules.ts'

/** A destination with what was selected for it. */
export interface SourcedDestination<Each extends Destination = Destination> {
  readonly destination: Each
  /** Source(D); undefined: there is none. */
  readonly source: LocalAddress | undefined
}

type DestinationRule = Rule<SourcedDestination, SelectionContext>

/** The rules of RFC 6724 §6 that compare any two destinations, in order; rules 9 and 10 follow in `destination-selection`. */
export const destinationRules: readonly DestinationRule[] = [
  rule1AvoidUnusable,
  rule2MatchingScope,
  rule3AvoidDeprecated,
  rule4HomeAddress,
  rule5MatchingLabel,
  rule6HigherPrecedence,
  rule7NativeTransport,
  rule8SmallerScope
]

function rule1AvoidUnusable(x: SourcedDestination, y: SourcedDestination): number {
  const isUsable = ({ destination, source }: SourcedDestination): boolean =>
    source !== undefined && destination.isUnreachable !== true
  return preferWith(isUsable(x), isUsable(y))
}

function rule2MatchingScope(x: SourcedDestination, y: SourcedDestination): number {
  const matches = ({ destination, source }: SourcedDestination): boolean =>
    source !== undefined && scopeOf(source.address) === scopeOf(destination.address)
  return preferWith(matches(x), matches(y))
}

function rule3AvoidDeprecated(
  x: SourcedDestination,
  y: SourcedDestination,
  { translation }: SelectionContext
): number {
  const isPreferred = ({ source }: SourcedDestination): boolean =>
    source === undefined || !isDeprecated(source, translation?.converted)
  return preferWith(isPreferred(x), isPreferred(y))
}

function rule4HomeAddress(
  x: SourcedDestination,
  y: SourcedDestination,
  { preferences }: SelectionContext
): number {
  const rank = ({ source }: SourcedDestination): number =>
    source === undefined ? 0 : mobilityRank(source, preferences?.prefersCareOf === true)
  return rank(x) - rank(y)
}

function rule5MatchingLabel(x: SourcedDestination, y: SourcedDestination, context: SelectionContext): number {
  const matches = ({ destination, source }: SourcedDestination): boolean =>
    source !== undefined && hasLabelOf(source, { context, destination })
  return preferWith(matches(x), matches(y))
}

function rule6HigherPrecedence(
  x: SourcedDestination,
  y: SourcedDestination,
  { policy }: SelectionContext
): number {
  const precedence = ({ destination }: SourcedDestination): number =>
    policy.lookUp(destination.address, zoneOf(destination)).precedence
  return precedence(y) - precedence(x)
}

function rule7NativeTransport(x: SourcedDestination, y: SourcedDestination): number {
  const isNative = ({ destination }: SourcedDestination): boolean =>
    destination.route.interface?.isEncapsulating !== true
  return preferWith(isNative(x), isNative(y))
}

function rule8SmallerScope(x: SourcedDestination, y: SourcedDestination): number {
  return scopeOf(x.destination.address) - scopeOf(y.destination.address)
}

/** Of one family only: between families it says nothing. */
export function rule9LongestMatchingPrefix(x: SourcedDestination, y: SourcedDestination): number {
  const length = ({ destination, source }: SourcedDestination): number =>
    source === undefined ? 0 : commonPrefixLength(source, destination.address)
  return length(y) - length(x)
}
