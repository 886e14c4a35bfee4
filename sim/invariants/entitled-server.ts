import { formatIpPrefix, prefixContains } from '@breakwater/core'
import { assignedPrefixes, ownPrefixes, prefix } from '../addressing.ts'
import { homeOf } from '../scenario.ts'
import { cuidOf } from '../world/customer.ts'
import { isAboutMitigation } from '../world/ledger.ts'
import type { MakeInvariant } from './invariant.ts'

/**
 * No server learns of a target that is not its own (RFC 9284 §5.1, §5.2): a provider hears only of the prefixes that it
 * assigned and of the provider-independent ones that it announces, and of no cuid but that for itself.
 */
export const entitledServer: MakeInvariant = ({ scenario }) => ({
  name: 'entitled-server',
  traffic({ when, direction, site, provider, seen }, report) {
    if (when !== 'sent' || direction !== 'to-server' || seen === undefined || !isAboutMitigation(seen)) return
    const plan = scenario.sites[site]
    if (plan === undefined || provider === undefined) return
    const home = homeOf(scenario, provider)
    const announced = plan.announcedThrough.includes(home) ? ownPrefixes(site) : []
    const entitled = [...assignedPrefixes(site, home), ...announced].map(prefix)
    for (const asked of seen.target?.prefixes ?? [])
      if (!entitled.some((own) => prefixContains(own, asked)))
        report(`site ${site} asked provider ${provider} about ${formatIpPrefix(asked)}, which is not its own`)
    if (seen.cuid !== cuidOf(site, home))
      report(`site ${site} showed provider ${provider} the cuid ${seen.cuid}`)
  }
})
