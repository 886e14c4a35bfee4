import { formatIpAddress } from '@breakwater/core'
import type { MakeInvariant } from './invariant.ts'

/**
 * No packet meets an ingress filter (RFC 2827): whatever a client sends, its source belongs to the link that it leaves by,
 * also where a router of the site forwards it (RFC 9284 §5.1).
 */
export const ingressDrop: MakeInvariant = () => ({
  name: 'ingress-drop',
  trace({ fate, from, path: { local, remote, interface: via } }, report) {
    if (fate.kind !== 'dropped' || fate.reason !== 'ingress-filter') return
    const way = `from ${formatIpAddress(local.address)} to ${formatIpAddress(remote.address)} by ${via}`
    report(`a packet of ${from} ${way} was dropped by an ingress filter`)
  }
})
