import { address } from '@breakwater/testing'
import { once } from 'node:events'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { Issued } from '../../../dtls/test/pki.ts'
import type { NameService } from './name-service.ts'

/** TLS in front of a name service that speaks TCP: messages have the same form in both (RFC 7858 §3.3). */
export async function startTlsFront(
  behind: NameService,
  { certificate, privateKey }: Issued
): Promise<NameService> {
  const sockets = new Set<Socket>()
  const server = createServer({ cert: certificate, key: privateKey, ALPNProtocols: ['dot'] }, (socket) => {
    const onward = connect(behind.address.port, '127.0.0.1')
    for (const each of [socket, onward]) {
      sockets.add(each)
      each.on('error', () => undefined)
      each.on('close', () => sockets.delete(each))
    }
    socket.pipe(onward)
    onward.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: { address: address('127.0.0.1'), port },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}

/** Passes bytes on, and keeps what the client sent: an eavesdropper. */
export interface Eavesdropper extends NameService {
  /** What was seen so far, as Latin-1 text. */
  seen(): string
}

export async function startEavesdropper(behind: NameService): Promise<Eavesdropper> {
  const chunks: Buffer[] = []
  const server = createTcpServer((socket) => {
    const onward = connect(behind.address.port, '127.0.0.1')
    for (const each of [socket, onward]) each.on('error', () => undefined)
    socket.on('data', (bytes) => chunks.push(Buffer.from(bytes)))
    socket.on('close', () => onward.destroy())
    onward.on('close', () => socket.destroy())
    socket.pipe(onward)
    onward.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: { address: address('127.0.0.1'), port },
    seen: () => Buffer.concat(chunks).toString('latin1'),
    close: async () => {
      server.close()
      await Promise.resolve()
    }
  }
}
