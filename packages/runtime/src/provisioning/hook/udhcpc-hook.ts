import { LEARNT_LIMITS } from '@breakwater/dots/learnt'
import { NOTHING, configuration, fileName, removing, writing } from './hook-outcome.ts'
import type { HookOutcome } from './hook-outcome.ts'
import type { HookVariables } from './hook-variables.ts'

/** BusyBox: the event is the first argument, and what was leased stands in `ip`, `dns`, `router`, … */
export function udhcpcHook(
  client: 'udhcpc' | 'udhcpc6',
  event: string | undefined,
  variables: HookVariables
): HookOutcome {
  const via = variables.interfaceName('interface')
  if (via === undefined) return NOTHING
  const name = fileName(client, via)
  if (event === 'deconfig' || event === 'nak') return removing(name)
  if (event !== 'bound' && event !== 'renew') return NOTHING
  const valid = variables.lifetime('lease')
  const lifetimes = { valid, preferred: valid }
  const address = variables.address(client === 'udhcpc' ? 'ip' : 'ipv6')
  const prefix = client === 'udhcpc' ? undefined : variables.prefix('ipv6prefix')
  const found = configuration(via, client === 'udhcpc' ? 'dhcpv4' : 'dhcpv6', {
    addresses: address === undefined ? [] : [{ address, ...lifetimes }],
    prefixes: prefix === undefined ? [] : [{ prefix, ...lifetimes }],
    resolvers: variables.hosts('dns', LEARNT_LIMITS.resolvers, valid),
    gateways: variables.hosts('router', LEARNT_LIMITS.gateways, valid),
    searchDomains: variables.searchDomains(variables.has('search') ? 'search' : 'domain', valid)
  })
  return writing(name, found, variables)
}
