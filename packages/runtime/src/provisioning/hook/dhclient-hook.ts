import { Seconds, formatIpAddress, formatIpPrefix } from '@breakwater/core'
import { LEARNT_LIMITS } from '@breakwater/dots/learnt'
import { leftOf, notLonger } from '../fact-lifetime.ts'
import { dhcpv4Lease } from './dhcpv4-lease.ts'
import { NOTHING, configuration, fileName, removing, writing } from './hook-outcome.ts'
import type { HookOutcome } from './hook-outcome.ts'
import type { HookVariables } from './hook-variables.ts'

/**
 * dhclient-script(8): `reason`, and what was leased in `new_*` and `old_*`; of DHCPv6 one address or prefix a call.
 * @param now By the calendar, in seconds.
 */
export function dhclientHook(variables: HookVariables, now: number): HookOutcome {
  const via = variables.interfaceName('interface')
  if (via === undefined) return NOTHING
  switch (variables.word('reason')) {
    case 'BOUND':
    case 'RENEW':
    case 'REBIND':
    case 'REBOOT':
    case 'TIMEOUT':
      return writing(fileName('dhclient4', via), dhcpv4Lease(via, variables), variables)
    case 'EXPIRE':
    case 'FAIL':
    case 'RELEASE':
    case 'STOP':
      return removing(fileName('dhclient4', via))
    case 'BOUND6':
    case 'RENEW6':
    case 'REBIND6':
      return leaseOf6(via, variables, now)
    case 'EXPIRE6':
    case 'RELEASE6':
    case 'STOP6':
      return removing(nameOf6(via, 'old', variables) ?? `dhclient6.${fileName(via).replace(/json$/, '*')}`)
    default:
      return NOTHING
  }
}

function leaseOf6(via: string, variables: HookVariables, now: number): HookOutcome {
  const name = nameOf6(via, 'new', variables)
  if (name === undefined) return { ...NOTHING, complaints: variables.complaints }
  // An answer that says nothing of this prefix is an event, too: its lifetimes began with an earlier one.
  const age = Seconds(Math.max(0, now - (variables.seconds('new_life_starts') ?? now)))
  const valid = leftOf(variables.lifetime('new_max_life'), age)
  const preferred = notLonger(leftOf(variables.lifetime('new_preferred_life'), age), valid)
  const [address, prefix] = [variables.address('new_ip6_address'), variables.prefix('new_ip6_prefix')]
  const found = configuration(via, 'dhcpv6', {
    addresses: address === undefined ? [] : [{ address, valid, preferred }],
    prefixes: prefix === undefined ? [] : [{ prefix, valid, preferred }],
    resolvers: variables.hosts('new_dhcp6_name_servers', LEARNT_LIMITS.resolvers, valid),
    searchDomains: variables.searchDomains('new_dhcp6_domain_search', valid)
  })
  return writing(name, found, variables)
}

/** Each address and prefix has a file of its own, as it has a life of its own. */
function nameOf6(via: string, age: 'new' | 'old', variables: HookVariables): string | undefined {
  const prefix = variables.prefix(`${age}_ip6_prefix`)
  if (prefix !== undefined) return fileName('dhclient6', via, formatIpPrefix(prefix))
  const address = variables.address(`${age}_ip6_address`)
  return address === undefined ? undefined : fileName('dhclient6', via, formatIpAddress(address))
}
