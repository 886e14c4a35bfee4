import { parseIpAddress } from '@breakwater/core'
import type { NetworkPath, SocketAddress } from '@breakwater/core'
import type { Socket } from 'node:net'

function socketAddress(address: string | undefined, port: number | undefined): SocketAddress | undefined {
  // The zone of a link-local address is the business of the interface.
  const parsed = address === undefined ? undefined : parseIpAddress(address.split('%')[0] ?? '')
  return parsed === undefined || port === undefined ? undefined : { address: parsed, port }
}

/** The ends of a connection; undefined when it has gone. */
export function pathOf(socket: Socket, interfaceName?: string): NetworkPath | undefined {
  const local = socketAddress(socket.localAddress, socket.localPort)
  const remote = socketAddress(socket.remoteAddress, socket.remotePort)
  if (local === undefined || remote === undefined) return undefined
  return { local, remote, ...(interfaceName === undefined ? {} : { interface: interfaceName }) }
}
