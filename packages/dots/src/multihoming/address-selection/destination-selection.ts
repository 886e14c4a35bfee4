import { withoutMapping } from './mapped-address.ts'
import { destinationRules, rule9LongestMatchingPrefix } from './destination-rules.ts'
import type { SourcedDestination } from './destination-rules.ts'
import { firstDecision } from './rule.ts'
import type { Destination, SelectionContext } from './selection-context.ts'
import { selectSource } from './source-selection.ts'

const compare = firstDecision(destinationRules)

/** The destinations in the order in which they are to be tried, each with its source: RFC 6724 §6. */
export function orderDestinations<Each extends Destination>(
  context: SelectionContext,
  destinations: readonly Each[]
): readonly SourcedDestination<Each>[] {
  const sourced = destinations.map((destination) => ({
    destination,
    source: selectSource(context, destination)
  }))
  const sorted = sourced.toSorted((x, y) => compare(x, y, context))
  return ties(sorted, context).flatMap(settleTie)
}

/** What rules 1 to 8 do not tell apart, together. */
function ties<Each extends SourcedDestination>(sorted: readonly Each[], context: SelectionContext): Each[][] {
  const groups: Each[][] = []
  for (const each of sorted) {
    const last = groups.at(-1)
    if (last?.[0] !== undefined && compare(last[0], each, context) === 0) last.push(each)
    else groups.push([each])
  }
  return groups
}

/**
 * Rules 9 and 10. Where both families are among the tied, rule 10 keeps each family in its places, and rule 9 fills the
 * places of one: taken pair by pair the two go in circles (of 1: IPv6, 2: IPv4, 3: better IPv6).
 */
function settleTie<Each extends SourcedDestination>(tied: readonly Each[]): Each[] {
  const ofFamily = { 4: inOrder(tied, 4), 6: inOrder(tied, 6) }
  return tied.flatMap((each) => ofFamily[familyOf(each)].splice(0, 1))
}

function inOrder<Each extends SourcedDestination>(tied: readonly Each[], family: 4 | 6): Each[] {
  return tied.filter((each) => familyOf(each) === family).toSorted(rule9LongestMatchingPrefix)
}

function familyOf({ destination }: SourcedDestination): 4 | 6 {
  return withoutMapping(destination.address).family
}
