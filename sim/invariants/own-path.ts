import { equalIpAddresses, formatIpAddress } from '@breakwater/core'
import type { NetworkPath } from '@breakwater/core'
import { attachmentOf } from '../layout.ts'
import type { ClientPlan, ServerPlan } from '../layout.ts'
import type { MakeInvariant } from './invariant.ts'

/**
 * No datagram, handshakes included, leaves by a path whose domain does not own its source address: to a provider's
 * servers only from the address that this provider assigned, by the link to this provider (RFC 9284 §5.1); to a service's
 * by any link, from an address that belongs there (RFC 9284 §4).
 */
export const ownPath: MakeInvariant = ({ layout }) => ({
  name: 'own-path',
  traffic({ when, direction, site, provider, entry }, report) {
    if (when !== 'sent' || direction !== 'to-server') return
    const { local, remote, interface: via } = entry.path
    const server = layout.servers[provider ?? -1]
    if (server === undefined) {
      report(`site ${site} sent to ${formatIpAddress(remote.address)}, which is nobody's`)
      return
    }
    const client = layout.clients[site]
    if (client !== undefined && !isOwn(client, server, entry.path))
      report(`site ${site} sent to server ${provider} from ${formatIpAddress(local.address)} by ${via}`)
  }
})

function isOwn(client: ClientPlan, { home }: ServerPlan, { local, interface: via }: NetworkPath): boolean {
  const own = attachmentOf(client, home)
  // A service has no link of its own.
  const links = own === undefined ? client.attachments : [own]
  return links.some(
    (link) => link.interface === via && link.addresses.some((each) => equalIpAddresses(local.address, each))
  )
}
