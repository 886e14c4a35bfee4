import { prefixContains, prefixesOverlap, subtractPrefixes } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { DomainName, ServerName } from '../domain/identifier.ts'
import type { PreconfiguredScope } from '../domain/site.ts'
import type { Target } from '../domain/target.ts'
import { providerOf } from './alternatives.ts'
import { place } from './placement.ts'
import type { Placement } from './placement.ts'
import type { SitePlan } from './site-plan.ts'

/** What each server stands by with, for the loss of the session. */
export type SafetyNets = ReadonlyMap<ServerName, readonly PreconfiguredScope[]>

/**
 * Who is asked for what is preconfigured: whom of the domain's provider placement would ask for it, and only for what is
 * that server's own, as with any request (RFC 9284 §5.1, §5.4). Never because of a consent. Only servers that have something.
 * @param chosen See `PlacementOptions`: of servers that stand in for one another, one stands by.
 */
export function safetyNets(plan: SitePlan, chosen: ReadonlySet<ServerName>): SafetyNets {
  const nets = new Map<ServerName, PreconfiguredScope[]>()
  for (const domain of plan.site.domains)
    for (const scope of domain.preconfigured ?? [])
      for (const { server, target } of placeScope(scope, domain.name, plan, chosen).assignments) {
        const own = nets.get(server) ?? []
        nets.set(server, [...own, { target, lifetime: scope.lifetime }])
      }
  return nets
}

/**
 * Where a scope stands by. RFC 9284 §5.4: the attachments of one provider are one provider; each is asked, or one for all, as
 * it is declared.
 */
export function placeScope(
  { target }: PreconfiguredScope,
  domain: DomainName,
  plan: SitePlan,
  chosen: ReadonlySet<ServerName>
): Placement {
  const own = providerOf(plan.site, domain)?.domains ?? [domain]
  const placement = place(target, plan, { allowPartial: true, chosen })
  return {
    ...placement,
    assignments: placement.assignments.filter((each) => own.includes(each.domain)),
    uncovered: placement.uncovered.filter((each) => own.includes(each.domain))
  }
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
