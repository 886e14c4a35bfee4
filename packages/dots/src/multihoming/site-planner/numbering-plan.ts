import { delegate } from './delegation.ts'
import type { Holding } from './holding.ts'
import { addressesOfHost, lifetimeOf, numberLinks } from './link-numbering.ts'
import type { HostAddress, LinkPrefix } from './link-numbering.ts'
import { checkNumbering } from './numbering-check.ts'
import type { NumberingProblem } from './numbering-check.ts'
import { prefixRows } from './prefix-routing-table.ts'
import type { PrefixRow } from './prefix-routing-table.ts'
import type { PrefixLifetime, SiteTopology } from './topology.ts'

export interface PlannedRouter {
  readonly name: string
  readonly blocks: readonly { readonly holding: Holding; readonly lifetime: PrefixLifetime }[]
}

export interface PlannedHost {
  readonly name: string
  readonly link: string
  readonly addresses: readonly HostAddress[]
}

/** The numbers of a whole site. */
export interface NumberingPlan {
  readonly routers: readonly PlannedRouter[]
  readonly links: readonly LinkPrefix[]
  readonly hosts: readonly PlannedHost[]
  readonly prefixes: readonly PrefixRow[]
  readonly problems: readonly NumberingProblem[]
}

/** Numbers the links and hosts of a site from the prefixes of its providers; the same topology gives the same plan. */
export function planNumbering(topology: SiteTopology): NumberingPlan {
  const delegations = delegate(topology)
  const { prefixes, unnumbered } = numberLinks(topology, delegations.holdings)
  return {
    routers: topology.routers.map(({ name }) => ({
      name,
      blocks: delegations.holdings
        .filter(({ router }) => router === name)
        .map((holding) => ({ holding, lifetime: lifetimeOf(topology, holding) }))
    })),
    links: topology.links.flatMap(({ name }) => prefixes.filter(({ link }) => link === name)),
    hosts: topology.links.flatMap((link) => {
      const own = prefixes.filter((entry) => entry.link === link.name)
      return link.hosts.map((host) => ({
        name: host.name,
        link: link.name,
        addresses: addressesOfHost(host, own)
      }))
    }),
    prefixes: prefixRows(topology),
    problems: checkNumbering(topology, { delegations, prefixes, unnumbered })
  }
}
