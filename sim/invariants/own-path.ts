import { equalIpAddresses, formatIpAddress } from '@breakwater/core'
import { interfaceName, siteAddresses } from '../addressing.ts'
import { homeOf } from '../scenario.ts'
import type { MakeInvariant } from './invariant.ts'

/**
 * No datagram, handshakes included, leaves by a path whose domain does not own its source address: to a provider's
 * servers only from the address that this provider assigned, by the link to this provider (RFC 9284 §5.1).
 */
export const ownPath: MakeInvariant = ({ scenario }) => ({
  name: 'own-path',
  traffic({ when, direction, site, provider, entry }, report) {
    if (when !== 'sent' || direction !== 'to-server') return
    const { local, remote, interface: via } = entry.path
    if (provider === undefined) {
      report(`site ${site} sent to ${formatIpAddress(remote.address)}, which is nobody's`)
      return
    }
    const home = homeOf(scenario, provider)
    const isOwn =
      siteAddresses(site, home).some((own) => equalIpAddresses(local.address, own)) &&
      via === interfaceName(home)
    if (!isOwn)
      report(`site ${site} sent to provider ${provider} from ${formatIpAddress(local.address)} by ${via}`)
  }
})
