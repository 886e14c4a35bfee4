import { formatIpAddress } from '@breakwater/core'
import type { SocketAddress } from '@breakwater/core'
import type { ListeningAddress } from '@breakwater/dots'

/** `192.0.2.1:4646`, `[2001:db8::1]:4646` */
export function socketAddressText({ address, port }: SocketAddress): string {
  const text = formatIpAddress(address)
  return address.family === 6 ? `[${text}]:${port}` : `${text}:${port}`
}

/** `udp 192.0.2.1:4646` */
export function listeningAddressText(listening: ListeningAddress): string {
  return `${listening.transport} ${socketAddressText(listening)}`
}
