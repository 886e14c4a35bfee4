import { isUnspecified } from '@breakwater/core'
import { LEARNT_LIMITS } from '@breakwater/dots/learnt'
import { notLonger } from '../fact-lifetime.ts'
import { NOTHING, configuration, fileName, removing } from './hook-outcome.ts'
import type { HookOutcome } from './hook-outcome.ts'
import type { HookVariables } from './hook-variables.ts'

/**
 * NetworkManager-dispatcher(8): interface and event are arguments; `IP4_*` and `IP6_*` tell what the interface has, `DHCP4_*`
 * and `DHCP6_*` what was leased. Of advertisements only name servers, router and search domains are told, without lifetimes.
 */
export function networkManagerHook(
  via: string | undefined,
  event: string | undefined,
  variables: HookVariables
): HookOutcome {
  if (via === undefined) return NOTHING
  const [name4, name6, nameOfRouters] = ['4', '6', '-ra'].map((kind) =>
    fileName(`networkmanager${kind}`, via)
  )
  if (event === 'down' || event === 'pre-down') return removing(name4 ?? '', name6 ?? '', nameOfRouters ?? '')
  if (event !== 'up' && event !== 'dhcp4-change' && event !== 'dhcp6-change' && event !== 'reapply')
    return NOTHING
  const valid4 = variables.lifetime('DHCP4_DHCP_LEASE_TIME')
  const address4 = variables.address('DHCP4_IP_ADDRESS')
  const valid6 = variables.lifetime('DHCP6_MAX_LIFE')
  const preferred6 = notLonger(variables.lifetime('DHCP6_PREFERRED_LIFE'), valid6)
  const [address6, prefix6] = [variables.address('DHCP6_IP6_ADDRESS'), variables.prefix('DHCP6_IP6_PREFIX')]
  const resolvers = variables.hosts('IP6_NAMESERVERS', LEARNT_LIMITS.resolvers, 'unlimited')
  // Where there is no router, NetworkManager 1.42 says 0.0.0.0.
  const gateways = variables
    .hosts('IP6_GATEWAY', 1, 'unlimited')
    .filter(({ address }) => !isUnspecified(address))
  const kinds = [
    {
      name: name4 ?? '',
      isThere: address4 !== undefined,
      configuration: configuration(via, 'dhcpv4', {
        addresses: address4 === undefined ? [] : [{ address: address4, valid: valid4, preferred: valid4 }],
        resolvers: variables.hosts('DHCP4_DOMAIN_NAME_SERVERS', LEARNT_LIMITS.resolvers, valid4),
        gateways: variables.hosts('DHCP4_ROUTERS', LEARNT_LIMITS.gateways, valid4),
        searchDomains: variables.searchDomains('DHCP4_DOMAIN_NAME', valid4)
      })
    },
    {
      name: name6 ?? '',
      isThere: address6 !== undefined || prefix6 !== undefined,
      configuration: configuration(via, 'dhcpv6', {
        addresses:
          address6 === undefined ? [] : [{ address: address6, valid: valid6, preferred: preferred6 }],
        prefixes: prefix6 === undefined ? [] : [{ prefix: prefix6, valid: valid6, preferred: preferred6 }],
        resolvers: variables.hosts('DHCP6_DHCP6_NAME_SERVERS', LEARNT_LIMITS.resolvers, valid6),
        searchDomains: variables.searchDomains('DHCP6_DHCP6_DOMAIN_SEARCH', valid6)
      })
    },
    {
      name: nameOfRouters ?? '',
      isThere: gateways.length > 0 || resolvers.length > 0,
      configuration: configuration(via, 'ra', {
        resolvers,
        gateways,
        searchDomains: variables.searchDomains('IP6_DOMAINS', 'unlimited')
      })
    }
  ]
  return {
    write: kinds
      .filter(({ isThere }) => isThere)
      .map(({ name, configuration: found }) => ({ name, configuration: found })),
    remove: kinds.filter(({ isThere }) => !isThere).map(({ name }) => name),
    complaints: variables.complaints
  }
}
