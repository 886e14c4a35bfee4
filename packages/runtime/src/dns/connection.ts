import { formatIpAddress } from '@breakwater/core'
import { Socket, connect } from 'node:net'
import { boundTo, unboundable } from './name-server.ts'
import type { NameServerWay, ResolverSockets } from './name-server.ts'

/** RFC 7766 §8: a message in a stream stands behind two bytes of its length. */
const LENGTH_BYTES = 2

/** A TCP connection to a name server by its way; it may still be connecting. Rejects when it cannot be. */
export async function openConnection(
  way: NameServerWay,
  sockets: ResolverSockets | undefined,
  timeoutMs: number
): Promise<Socket> {
  const bound = boundTo(way)
  const { address: remote } = way
  if (bound !== undefined && sockets !== undefined)
    return new Socket({ fd: await sockets.openTcp({ ...bound, remote, timeoutMs }) })
  if (way.interface !== undefined) throw unboundable(way)
  const local = bound === undefined ? {} : { localAddress: formatIpAddress(bound.local.address) }
  return connect({ host: formatIpAddress(remote.address), port: remote.port, ...local })
}

export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

/** Puts the messages of a stream together again. */
export class MessageReader {
  #received: Buffer = Buffer.alloc(0)

  /** @returns the messages that are complete now. */
  take(bytes: Buffer): Buffer[] {
    this.#received = Buffer.concat([this.#received, bytes])
    const messages: Buffer[] = []
    while (this.#received.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#received.readUInt16BE(0)
      if (this.#received.length < end) break
      messages.push(this.#received.subarray(LENGTH_BYTES, end))
      this.#received = this.#received.subarray(end)
    }
    return messages
  }
}
