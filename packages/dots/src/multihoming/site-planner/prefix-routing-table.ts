import type { IpPrefix } from '@breakwater/core'
import type { DomainName, ServerName } from '../../domain/identifier.ts'
import { classifiedPrefixes } from '../address-class.ts'
import type { AddressClass } from '../address-class.ts'
import { compileSite } from '../site-plan.ts'
import { DEFAULT_PREFIX_LIFETIME } from './topology.ts'
import type { PrefixLifetime, SiteTopology } from './topology.ts'

/** A prefix of the site: whose it is, who is asked to protect it, and where its packets leave. */
export interface PrefixRow {
  readonly prefix: IpPrefix
  readonly class: AddressClass
  readonly domains: readonly DomainName[]
  readonly servers: readonly ServerName[]
  /** Domains of the class without a server. */
  readonly uncovered: readonly DomainName[]
  readonly exitRouters: readonly string[]
  /** Undefined: the site's own, which nobody takes back. */
  readonly lifetime: PrefixLifetime | undefined
}

/** The table that placement goes by, made by the same function, with the exits beside it. */
export function prefixRows({ site, routers, lifetimes }: SiteTopology): PrefixRow[] {
  const { table } = compileSite(site)
  return classifiedPrefixes(site).flatMap(({ prefix }): PrefixRow[] => {
    const plan = table.cover(prefix)
    if (plan === undefined) return []
    const domains = [...new Set([...plan.alternatives.flat().map(({ domain }) => domain), ...plan.uncovered])]
    const lifetime =
      plan.class.kind === 'pa' ? (lifetimes.get(plan.class.domain) ?? DEFAULT_PREFIX_LIFETIME) : undefined
    return [
      {
        prefix,
        class: plan.class,
        domains,
        servers: plan.alternatives.flat().map(({ name }) => name),
        uncovered: plan.uncovered,
        exitRouters: routers
          .filter(({ exits }) => exits.some((exit) => domains.includes(exit)))
          .map(({ name }) => name),
        lifetime
      }
    ]
  })
}
