import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { formatIpAddress, parseIpAddress } from '@breakwater/core'
import type { SocketAddress } from '@breakwater/core'

export type Side = 'server' | 'client'

/** Decides about each datagram on its way to one side: what goes on in its place, in order. */
export type Passage = (datagram: Buffer, to: Side) => readonly Buffer[]

function addressOf(socket: Socket): SocketAddress {
  const { address, port } = socket.address()
  const parsed = parseIpAddress(address)
  if (parsed === undefined) throw new Error(`the kernel bound ${address}`)
  return { address: parsed, port }
}

async function bound(at: SocketAddress): Promise<Socket> {
  const socket = createSocket(at.address.family === 4 ? 'udp4' : 'udp6')
  socket.bind(0, formatIpAddress(at.address))
  await once(socket, 'listening')
  return socket
}

/** Stands between one client and one server and passes, drops, doubles or mutilates datagrams. */
export class LossyRelay {
  /** Where the client sends to in place of the server. */
  readonly front: SocketAddress
  /** Where the server sees the client. */
  readonly back: SocketAddress
  readonly #front: Socket
  readonly #back: Socket
  #client: SocketAddress | undefined
  server: SocketAddress | undefined

  private constructor(front: Socket, back: Socket, passage: Passage) {
    this.#front = front
    this.#back = back
    this.front = addressOf(front)
    this.back = addressOf(back)
    front.on('message', (datagram, { address, port }) => {
      const from = parseIpAddress(address)
      if (from !== undefined) this.#client = { address: from, port }
      for (const one of passage(datagram, 'server')) this.toServer(one)
    })
    back.on('message', (datagram) => {
      for (const one of passage(datagram, 'client')) this.toClient(one)
    })
  }

  /** Both sockets are bound to addresses of the family and kind of the two ends, on ports of their own. */
  static async open(
    serverSide: SocketAddress,
    clientSide: SocketAddress,
    passage: Passage
  ): Promise<LossyRelay> {
    return new LossyRelay(await bound(serverSide), await bound(clientSide), passage)
  }

  toServer(datagram: Uint8Array): void {
    if (this.server !== undefined) this.#send(this.#back, datagram, this.server)
  }

  toClient(datagram: Uint8Array): void {
    if (this.#client !== undefined) this.#send(this.#front, datagram, this.#client)
  }

  close(): void {
    this.#front.close()
    this.#back.close()
  }

  #send(socket: Socket, datagram: Uint8Array, to: SocketAddress): void {
    socket.send(datagram, to.port, formatIpAddress(to.address))
  }
}
