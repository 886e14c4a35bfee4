import { formatIpAddress, Milliseconds, Seconds } from '@breakwater/core'
import type {
  CertificateCredentials,
  Duration,
  IpAddress,
  IpFamily,
  OpenSecureStream,
  SecureEndpointHandlers,
  SecureStreamEndpoint,
  SocketAddress
} from '@breakwater/core'
import type {
  CertificateFlaw,
  EndpointSide,
  RawConnection,
  SecureStreamWorld,
  StreamClientOverrides,
  StreamServerOverrides
} from '@breakwater/testing'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { addressOf } from '../../../dtls/test/loopback-parties.ts'
import type { Credentials } from '../../../dtls/test/loopback-parties.ts'
import { openTlsEndpoint } from '../../src/index.ts'

/** How much slower than a quiet machine this one may be. */
const timescale = Number(process.env['TIMESCALE'] ?? '1')

/** The real thing on loopback, in real time. */
export class TlsWorld implements SecureStreamWorld {
  readonly serverName = 'server.example'
  readonly clientName = 'client.example'
  readonly #credentials: Credentials
  readonly #open: OpenSecureStream
  readonly #endpoints: SecureStreamEndpoint[] = []
  readonly #sockets: Socket[] = []
  readonly #servers: Server[] = []

  constructor(credentials: Credentials, open: OpenSecureStream = openTlsEndpoint) {
    this.#credentials = credentials
    this.#open = open
  }

  address(side: EndpointSide, family: IpFamily): IpAddress {
    return addressOf(side, family)
  }

  certificate(side: EndpointSide, flaw?: CertificateFlaw): CertificateCredentials {
    return this.#credentials.of(side, flaw)
  }

  async openServer(
    handlers: SecureEndpointHandlers,
    overrides?: StreamServerOverrides
  ): Promise<SecureStreamEndpoint> {
    const local = { address: this.address('server', 4), port: 0 }
    const certificate = this.certificate('server')
    return this.#enter(this.#open({ role: 'server', local, certificate, ...overrides }, handlers))
  }

  async openClient(
    handlers: SecureEndpointHandlers,
    overrides?: StreamClientOverrides
  ): Promise<SecureStreamEndpoint> {
    const local = { address: this.address('client', 4), port: 0 }
    const credentials = this.certificate('client')
    return this.#enter(this.#open({ role: 'client', local, credentials, ...overrides }, handlers))
  }

  async connectRaw({ address, port }: SocketAddress): Promise<RawConnection> {
    const socket = connect(port, formatIpAddress(address))
    this.#sockets.push(socket)
    socket.on('error', () => undefined).resume()
    await once(socket, 'connect')
    return {
      send: (bytes) => void socket.write(bytes),
      get isClosed() {
        return socket.closed || socket.readableEnded
      },
      close: () => void socket.destroy()
    }
  }

  async nobody(): Promise<SocketAddress> {
    const remote = await this.silence()
    const server = this.#servers.pop()
    server?.close()
    if (server !== undefined) await once(server, 'close')
    return remote
  }

  async silence(): Promise<SocketAddress> {
    const server = createServer((socket) => void this.#sockets.push(socket.on('error', () => undefined)))
    this.#servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { address: this.address('server', 4), port: (server.address() as AddressInfo).port }
  }

  async until(condition: () => boolean, limit: Duration = Seconds(5)): Promise<void> {
    const deadline = performance.now() + limit * timescale
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`not within ${limit} ms: ${String(condition)}`)
      await pause(2)
    }
  }

  async pause(duration: Duration): Promise<void> {
    await pause(duration)
  }

  async catchUncaught(during: () => Promise<void>): Promise<readonly unknown[]> {
    const errors: unknown[] = []
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => errors.push(error))
    try {
      await during()
      await pause(Milliseconds(10))
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of others) process.on('uncaughtException', listener)
    }
    return errors
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    for (const server of this.#servers) server.close()
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.destroy()))
    for (const endpoint of this.#endpoints) {
      expect(endpoint.stats()).toMatchObject({ peers: 0, handshaking: 0, lingering: 0 })
      // Node reports the close of a connection a turn after that of its server.
      await this.until(() => (endpoint.stats()['sources'] ?? 0) === 0)
    }
  }

  async #enter(opening: Promise<SecureStreamEndpoint>): Promise<SecureStreamEndpoint> {
    const endpoint = await opening
    this.#endpoints.push(endpoint)
    return endpoint
  }
}
