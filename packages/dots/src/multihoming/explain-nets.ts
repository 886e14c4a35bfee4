import { formatIpPrefix, prefixesOverlap } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { DomainName, ServerName } from '../domain/identifier.ts'
import { describeClass } from './address-class.ts'
import type { Placement } from './placement.ts'
import { placeScope } from './safety-net.ts'
import type { SitePlan } from './site-plan.ts'

/** Who stands by with a piece of what a domain has preconfigured, and why. */
export interface ExplainedNet {
  /** That declares it. */
  readonly domain: DomainName
  readonly prefixes: readonly IpPrefix[]
  /** Empty: nobody can be asked for it. */
  readonly servers: readonly ServerName[]
  readonly text: string
}

/** What stands by, or ought to, of what overlaps with these prefixes. The decision itself is `placeScope`'s. */
export function explainNets(
  prefixes: readonly IpPrefix[],
  plan: SitePlan,
  chosen: ReadonlySet<ServerName>
): ExplainedNet[] {
  const concerns = (net: ExplainedNet): boolean =>
    net.prefixes.some((own) => prefixes.some((each) => prefixesOverlap(own, each)))
  return plan.site.domains.flatMap(({ name, preconfigured = [] }) =>
    preconfigured
      .flatMap((scope) => piecesOf(name, placeScope(scope, name, plan, chosen), plan))
      .filter((net) => concerns(net))
  )
}

function piecesOf(domain: DomainName, placement: Placement, plan: SitePlan): ExplainedNet[] {
  const { parts, assignments, refusals, waiting } = placement
  const nobody = [...refusals, ...waiting].map(({ prefixes, text }) => {
    return { domain, prefixes, servers: [], text: `nobody stands by: ${text}` }
  })
  const placed = parts.map((part) => {
    const servers = assignments.filter((each) => each.part === part).map(({ server }) => server)
    const text =
      servers.length === 0
        ? `nobody stands by: ${whyNobody(domain, part, placement)}`
        : explainServers(servers, plan)
    return { domain, prefixes: part.prefixes, servers, text }
  })
  return [...placed, ...nobody]
}

function whyNobody(domain: DomainName, part: Placement['parts'][number], { uncovered }: Placement): string {
  const bare = uncovered.find(({ prefixes }) => prefixes === part.prefixes)
  if (bare !== undefined) return `${bare.domain} has no DOTS server`
  const prefixes = part.prefixes.map((prefix) => formatIpPrefix(prefix)).join(', ')
  return `${prefixes} is ${describeClass(part.class)}, and not for ${domain} to protect (RFC 9284 §5.1)`
}

function explainServers(servers: readonly ServerName[], { standIns }: SitePlan): string {
  const isChosen = standIns.some((list) => list.some(({ name }) => servers.includes(name)))
  const moves = isChosen ? ', and moves to whoever is asked in its stead (RFC 9284 §5.4)' : ''
  return `stands by with ${servers.join(' and ')} for the loss of the session (RFC 9132 §4.4.1.1)${moves}`
}
