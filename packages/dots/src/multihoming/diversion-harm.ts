import { formatIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { ServerName } from '../domain/identifier.ts'
import { providerOf } from './alternatives.ts'
import type { PlacedPart } from './placement.ts'
import type { SitePlan } from './site-plan.ts'

/** What is asked as it must be, and may do harm all the same. */
export interface PlanWarning {
  readonly prefixes: readonly IpPrefix[]
  readonly servers: readonly ServerName[]
  readonly text: string
}

/**
 * RFC 8811 §2.3: a client that asks servers that are not affiliated may harm what it wants to protect: two that divert the
 * same traffic to themselves, each unaware of the other, may pass it back and forth. RFC 9284 §5.2 has all of them asked
 * nevertheless. Servers of one domain, and of the attachments of one provider, are taken to coordinate.
 */
export function diversionHarm(part: PlacedPart, { servers, site }: SitePlan): PlanWarning[] {
  const diverting = part.servers.filter((name) => servers.get(name)?.action === 'divert')
  const owners = new Set(
    diverting.flatMap((name) => {
      const domain = servers.get(name)?.domain
      return domain === undefined ? [] : [providerOf(site, domain)?.name ?? domain]
    })
  )
  if (owners.size < 2) return []
  const prefixes = part.prefixes.map((prefix) => formatIpPrefix(prefix)).join(', ')
  const text =
    `${diverting.join(' and ')} divert ${prefixes} to themselves and do not coordinate: ` +
    `one may divert what the other lets through (RFC 8811 §2.3)`
  return [{ prefixes: part.prefixes, servers: diverting, text }]
}
