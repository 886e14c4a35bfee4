import { prefixContainsAddress } from '@breakwater/core'
import type { IpAddress, IpFamily, IpPrefix } from '@breakwater/core'
import type { DomainName } from '../../domain/identifier.ts'
import type { ProvisioningDomain, Site } from '../../domain/site.ts'
import { FAMILIES, LINUX_MAIN_TABLE, exitTo, markOf, sourcePrefixes, tableOf } from './exit.ts'
import type { Exit, ExitOwnership } from './exit.ts'
import { exitFilter } from './exit-filter.ts'

/** A rule of the routing policy database. */
export interface ExitRule {
  readonly family: IpFamily
  readonly priority: number
  readonly from?: IpPrefix
  readonly mark?: number
  readonly table: number
  /** Takes everything of the table but its default route. */
  readonly withoutDefault?: true
}

/** A default route of a provider's table. */
export interface ExitRoute {
  readonly family: IpFamily
  readonly table: number
  readonly metric: number
  /** Undefined: unreachable. */
  readonly interface?: string
  readonly gateway?: IpAddress
}

/** How every source address leaves by its own provider. */
export interface ExitPlan {
  readonly ownership: ExitOwnership
  readonly rules: readonly ExitRule[]
  readonly routes: readonly ExitRoute[]
  /** The nftables table as text. */
  readonly filter: string
  readonly problems: readonly ExitProblem[]
}

export interface ExitProblem {
  readonly code: 'EXIT_UNKNOWN' | 'GATEWAY_MISSING' | 'SOURCE_MISSING' | 'SOURCE_OF_OTHER'
  readonly domain: DomainName
  readonly message: string
}

const EXIT_METRIC = 1024
/** Behind every other route: without its exit, a source must not leave by another provider's. */
const LAST_METRIC = 4_278_198_272

/** Works out the rules, routes and filter of one router. */
export function planExits(site: Site, exits: readonly Exit[], ownership: ExitOwnership): ExitPlan {
  const rules: ExitRule[] = []
  const routes: ExitRoute[] = []
  for (const family of FAMILIES) {
    const own = site.domains.flatMap((domain, index) => {
      const exit = exitTo(domain.name, exits)
      const from = sourcePrefixes(domain, exit).filter(({ address }) => address.family === family)
      const hasServer = domain.servers.some(({ addresses }) =>
        addresses.some((each) => each.family === family)
      )
      return from.length > 0 || (hasServer && exit !== undefined) ? [{ exit, from, index }] : []
    })
    if (own.length === 0) continue
    const { rulePriority: priority } = ownership
    for (const { index } of own)
      rules.push({ family, priority, mark: markOf(ownership, index), table: tableOf(ownership, index) })
    // What is nearer than the internet stays where it is.
    rules.push({ family, priority: priority + 1, table: LINUX_MAIN_TABLE, withoutDefault: true })
    for (const { exit, from, index } of own) {
      rules.push(
        ...from.map((prefix) => ({
          family,
          priority: priority + 2,
          from: prefix,
          table: tableOf(ownership, index)
        }))
      )
      routes.push(...routesOf(family, tableOf(ownership, index), exit))
    }
  }
  return {
    ownership,
    rules,
    routes,
    filter: exitFilter(site, exits, ownership),
    problems: site.domains.flatMap((domain) => problemsOf(site, domain, exits))
  }
}

function routesOf(family: IpFamily, table: number, exit: Exit | undefined): ExitRoute[] {
  const last = { family, table, metric: LAST_METRIC }
  const gateway = exit?.gateways.find((address) => address.family === family)
  if (exit === undefined || (gateway === undefined && exit.gateways.length > 0)) return [last]
  const first = { family, table, metric: EXIT_METRIC, interface: exit.interface }
  return [gateway === undefined ? first : { ...first, gateway }, last]
}

function problemsOf(site: Site, domain: ProvisioningDomain, exits: readonly Exit[]): ExitProblem[] {
  const { name } = domain
  const exit = exitTo(name, exits)
  if (exit === undefined)
    return [
      {
        code: 'EXIT_UNKNOWN',
        domain: name,
        message: `no way to ${name} is known here: its addresses reach nobody`
      }
    ]
  const problems: ExitProblem[] = []
  for (const family of FAMILIES) {
    const used = domain.prefixes.some(({ address }) => address.family === family)
    if (used && exit.gateways.length > 0 && !exit.gateways.some((gateway) => gateway.family === family))
      problems.push({
        code: 'GATEWAY_MISSING',
        domain: name,
        message: `${name} has an IPv${family} prefix and no IPv${family} gateway`
      })
    const hasServer = domain.servers.some(({ addresses }) => addresses.some((each) => each.family === family))
    if (exit.isOwn && hasServer && !exit.sources.some((source) => source.family === family))
      problems.push({
        code: 'SOURCE_MISSING',
        domain: name,
        message: `${name} has no IPv${family} address in "sources": DOTS messages of internal clients from elsewhere are dropped`
      })
  }
  for (const other of site.domains)
    if (
      other !== domain &&
      exit.sources.some((source) => other.prefixes.some((each) => prefixContainsAddress(each, source)))
    )
      problems.push({
        code: 'SOURCE_OF_OTHER',
        domain: name,
        message: `a source of ${name} is an address of ${other.name}: ${name} would drop it`
      })
  return problems
}
