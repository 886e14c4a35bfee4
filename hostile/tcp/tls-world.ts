import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import { expect } from 'vitest'
import { Method } from '@breakwater/coap'
import { until } from '../../e2e/dots-process.ts'
import { PskServer } from '../../e2e/psk-server.ts'
import { mitigate } from '../../e2e/raw-peer.ts'

/** The key of `home` at the server of the tests. */
const homeKey = Buffer.alloc(32, 0x10)

/** Handshakes of one source, and what they may take; both are small here so that an attack ends soon. */
export const mostHandshakes = 20
const handshakeSeconds = 2
const limits = `limits: { tls: { handshakesPerSource: ${mostHandshakes}, handshakeSeconds: ${handshakeSeconds} } }`

/** A real `dots server`, and whoever comes to it over TCP. */
export class TlsWorld {
  readonly server = new PskServer({ more: `activeButTerminatingSeconds: 0\n${limits}` })
  readonly #open: Socket[] = []

  /** Connections from another address than that of the honest ones, which say this. */
  crowd(size: number, bytes: Uint8Array): Socket[] {
    return Array.from({ length: size }, () => this.tcp(bytes, '127.0.0.9'))
  }

  /** A TCP connection that says this. */
  tcp(bytes?: Uint8Array, localAddress = '127.0.0.1'): Socket {
    const socket = connectTcp({ port: this.server.port, host: '127.0.0.1', localAddress })
    socket.on('error', () => undefined).resume()
    if (bytes !== undefined) socket.write(bytes)
    this.#open.push(socket)
    return socket
  }

  /** A TLS connection by the key of `home`; what comes is gathered. */
  tls(options: ConnectionOptions = {}, psk: Uint8Array = homeKey): { socket: Socket; received: Buffer[] } {
    const socket = connectTls({
      port: this.server.port,
      host: '127.0.0.1',
      pskCallback: () => ({ psk, identity: 'home' }),
      ciphers: 'PSK',
      maxVersion: 'TLSv1.2',
      checkServerIdentity: () => undefined,
      ALPNProtocols: ['coap'],
      ...options
    })
    const received: Buffer[] = []
    socket.on('error', () => undefined).on('data', (chunk: Buffer) => received.push(chunk))
    this.#open.push(socket)
    return { socket, received }
  }

  /** The server ends it. */
  async expectEnd(socket: Socket): Promise<void> {
    let hasEnded = socket.destroyed
    socket.on('close', () => (hasEnded = true)).on('end', () => (hasEnded = true))
    await until(
      () => (hasEnded || socket.destroyed || socket.readableEnded ? true : undefined),
      () => 'the connection stays'
    )
  }

  /** All counters of this name, whatever their label. */
  async counted(name: string): Promise<number> {
    const counters = await this.server.control.counters()
    return Object.entries(counters).reduce(
      (sum, [key, value]) => (key.startsWith(name) ? sum + value : sum),
      0
    )
  }

  /** A client by TLS comes in and is answered. */
  async expectPong(): Promise<void> {
    const { socket, received } = this.tls()
    // CSM, Ping
    socket.write(Uint8Array.of(0x00, 0xe1, 0x00, 0xe2))
    await until(
      () => (Buffer.concat(received).includes(Buffer.of(0x00, 0xe3)) ? true : undefined),
      () => 'no Pong'
    )
    socket.destroy()
  }

  /** A client by DTLS and one by TLS are served, no connection is left, and no mistake of ours was logged. */
  async expectServiceAsBefore(): Promise<void> {
    for (const socket of this.#open.splice(0)) socket.destroy()
    await until(
      async () => ((await this.counted('tls_peers')) === 0 ? true : undefined),
      () => 'connections are left'
    )
    const peer = await this.server.connect('branch')
    expect((await peer.ask({ path: mitigate('cuid=branch'), method: Method.get })).code).toBe('4.04')
    await peer.close()
    await this.expectPong()
    expect(this.server.process?.log).not.toMatch(/uncaught|unhandled|InternalError|"level":(50|60)/i)
  }
}
