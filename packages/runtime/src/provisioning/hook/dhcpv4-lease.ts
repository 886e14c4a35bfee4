import { LEARNT_LIMITS } from '@breakwater/dots/learnt'
import type { LearntConfiguration } from '@breakwater/dots'
import { configuration } from './hook-outcome.ts'
import type { HookVariables } from './hook-variables.ts'

/** A lease as dhclient and dhcpcd alike name its parts; undefined where it has no address that could be one. */
export function dhcpv4Lease(via: string, variables: HookVariables): LearntConfiguration | undefined {
  const address = variables.address('new_ip_address')
  if (address === undefined) return undefined
  const valid = variables.lifetime('new_dhcp_lease_time')
  const domains = variables.has('new_domain_search') ? 'new_domain_search' : 'new_domain_name'
  return configuration(via, 'dhcpv4', {
    addresses: [{ address, valid, preferred: valid }],
    resolvers: variables.hosts('new_domain_name_servers', LEARNT_LIMITS.resolvers, valid),
    gateways: variables.hosts('new_routers', LEARNT_LIMITS.gateways, valid),
    searchDomains: variables.searchDomains(domains, valid)
  })
}
