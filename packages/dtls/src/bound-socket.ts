import { UnavailableError } from '@breakwater/core'
import type { SocketAddress } from '@breakwater/core'
import { addon } from './addon.ts'
import type { NativeProblem } from './addon.ts'
import { toNative } from './native-address.ts'

/** Where a socket is bound to. */
export interface BoundSocketOptions {
  /** Source address; port 0: let the kernel choose. */
  readonly local: SocketAddress
  /** Bind to this interface, too (SO_BINDTODEVICE). */
  readonly interface?: string
}

/** Where a connection starts, and where it leads. */
export interface BoundTcpSocketOptions extends BoundSocketOptions {
  readonly remote: SocketAddress
  /** Give up after this many milliseconds; without it the kernel decides, after minutes. */
  readonly timeoutMs?: number
}

function cannotConnect(errorName: string): UnavailableError {
  return new UnavailableError('DTLS_CONNECT_FAILED', `cannot connect: ${errorName}`, true)
}

function cannotBind(problem: NativeProblem): UnavailableError {
  return new UnavailableError(
    'DTLS_BIND_FAILED',
    `cannot bind: ${problem.field ?? ''} ${problem.message}`,
    true
  )
}

/**
 * Opens a UDP socket bound to a source address and to an interface, which `node:dgram` cannot.
 *
 * @returns a descriptor for `dgram.Socket.bind({ fd })`, which then owns it
 * @throws {UnavailableError} `DTLS_BIND_FAILED`
 */
export function openBoundUdpSocket(options: BoundSocketOptions): number {
  const opened = addon.boundUdp(toNative(options.local), options.interface ?? '')
  if (typeof opened !== 'number') throw cannotBind(opened)
  return opened
}

/**
 * Opens a TCP connection from a source address and an interface.
 *
 * @returns the descriptor of the connected, non-blocking socket, for `new net.Socket({ fd })`, which then owns it
 * @throws {UnavailableError} (as rejection) `DTLS_BIND_FAILED`: nothing was sent, for the interface, the address or a route is
 *   not there; `DTLS_CONNECT_FAILED`
 */
export function openBoundTcpSocket(options: BoundTcpSocketOptions): Promise<number> {
  const { local, remote, timeoutMs = 0 } = options
  return new Promise((resolve, reject) => {
    const refused = addon.boundTcp(
      toNative(local),
      options.interface ?? '',
      toNative(remote),
      timeoutMs,
      (descriptor, errorName) => {
        if (descriptor >= 0) resolve(descriptor)
        else reject(cannotConnect(errorName))
      }
    )
    if (refused === undefined) return
    // On the loopback interface the answer is there at once; whatever else is, comes before anything was sent.
    const isAnswer = refused.message.includes('ECONNREFUSED')
    reject(isAnswer ? cannotConnect(refused.message) : cannotBind(refused))
  })
}
