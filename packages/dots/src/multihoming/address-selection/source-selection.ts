import { equalIpAddresses } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import { candidateSources } from './candidate-source.ts'
import type { LocalAddress } from '../../domain/local-address.ts'
import { withoutMapping } from './mapped-address.ts'
import { firstDecision } from './rule.ts'
import type { Destination, SelectionContext } from './selection-context.ts'
import { sourceRules } from './source-rules.ts'

const compare = firstDecision(sourceRules)

/**
 * The candidates for a destination, the best first: RFC 6724 §5, and by the same rules for IPv4, which the RFC leaves open.
 * Of those that no rule tells apart, the one that the context names first.
 */
export function orderSources(context: SelectionContext, destination: Destination): readonly LocalAddress[] {
  const question = { context, destination }
  return candidateSources(context, destination).toSorted((x, y) => compare(x, y, question))
}

/** Source(D); undefined when there is none. */
export function selectSource(context: SelectionContext, destination: Destination): LocalAddress | undefined {
  return orderSources(context, destination)[0]
}

export type ChosenSource =
  | { readonly ok: true; readonly source: LocalAddress }
  | { readonly ok: false; readonly problem: 'not-a-candidate' }

/** RFC 6724 §4: what the user chose is respected where it is a candidate, and an error where it is none. */
export function chosenSource(
  context: SelectionContext,
  destination: Destination,
  choice: IpAddress
): ChosenSource {
  const wanted = withoutMapping(choice)
  const source = candidateSources(context, destination).find(({ address }) =>
    equalIpAddresses(withoutMapping(address), wanted)
  )
  return source === undefined ? { ok: false, problem: 'not-a-candidate' } : { ok: true, source }
}
