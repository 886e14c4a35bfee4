import { prefixContains, prefixesOverlap, subtractPrefixes } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { DotsServer, PreconfiguredScope } from '../domain/site.ts'
import type { Target } from '../domain/target.ts'
import { place } from './placement.ts'
import type { SitePlan } from './site-plan.ts'

/** What of a domain's preconfigured scopes a server of it may hear of: only what is its own, as with any request. */
export function safetyNetOf(server: DotsServer, plan: SitePlan): readonly PreconfiguredScope[] {
  const scopes = plan.site.domains.find(({ name }) => name === server.domain)?.preconfigured ?? []
  return scopes.flatMap(({ target, lifetime }) =>
    place(target, plan, { allowPartial: true })
      .assignments.filter((assignment) => assignment.server === server.name)
      .map((assignment) => ({ target: assignment.target, lifetime }))
  )
}

/**
 * RFC 9132 §4.4.1.3: an immediate request that overlaps with preconfigured scopes is to be a subset of them, so that the
 * broad mitigation takes over when the session is lost. So it is cut at the borders of the net, and the parts are asked
 * for one by one.
 */
export function cutAtNet(target: Target, net: readonly Target[]): readonly Target[] {
  const scopes = net.flatMap((each) => each.prefixes)
  const inside: IpPrefix[] = []
  const outside: IpPrefix[] = []
  for (const prefix of target.prefixes) {
    const isWithin = scopes.some((scope) => prefixContains(scope, prefix))
    if (isWithin) inside.push(prefix)
    else {
      inside.push(...scopes.filter((scope) => prefixesOverlap(scope, prefix)))
      outside.push(...subtractPrefixes(prefix, scopes))
    }
  }
  return [inside, outside]
    .filter((prefixes) => prefixes.length > 0)
    .map((prefixes) => ({ ...target, prefixes }))
}
