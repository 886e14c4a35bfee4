import { once } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

import { CoapStreamSession, defaultParameters, WEBSOCKET_PATH, WEBSOCKET_SUBPROTOCOL } from '@breakwater/coap'
import { webSocketFraming } from '@breakwater/coap'
import type { CoapStreamInput, CoapStreamOutput } from '@breakwater/coap'
import { Instant } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { type WebSocket, WebSocketServer } from 'ws'

/** A CoAP session on a WebSocket of the `ws` package, as an application would put the two together. */
export class WebSocketEnd {
  readonly session: CoapStreamSession
  readonly outputs: Exclude<CoapStreamOutput, { kind: 'send' }>[] = []
  /** Messages and control frames that came, as they lay in WebSocket frames. */
  readonly received: Uint8Array[] = []
  readonly control: string[] = []
  readonly #socket: WebSocket
  readonly #onOutput: (output: CoapStreamOutput) => CoapStreamInput | undefined

  constructor(
    socket: WebSocket,
    seed: number,
    onOutput: (output: CoapStreamOutput) => CoapStreamInput | undefined = () => undefined
  ) {
    this.#socket = socket
    this.#onOutput = onOutput
    this.session = new CoapStreamSession({
      parameters: defaultParameters,
      entropy: seededEntropy(seed),
      openedAt: Instant(0),
      framing: webSocketFraming,
      blockwise: { maximumBodyBytes: 100_000, preferredSize: 1024 }
    })
    socket.on('message', (data: Buffer, isBinary) => {
      this.received.push(Uint8Array.from(data))
      if (isBinary) this.feed({ kind: 'datagram', bytes: data })
    })
    for (const kind of ['ping', 'pong'] as const) socket.on(kind, () => this.control.push(kind))
    socket.on('close', () => this.feed({ kind: 'closed' }))
    this.#drain()
  }

  feed(input: CoapStreamInput): void {
    this.session.handle(input, Instant(0))
    this.#drain()
  }

  #drain(): void {
    const inputs: CoapStreamInput[] = []
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll()) {
      if (output.kind === 'send') this.#socket.send(output.bytes, { binary: true })
      else this.outputs.push(output)
      if (output.kind === 'close') this.#socket.close()
      const input = this.#onOutput(output)
      if (input !== undefined) inputs.push(input)
    }
    for (const input of inputs) this.feed(input)
  }
}

/** A WebSocket server on loopback that speaks `coap` and nothing else. */
export class WebSocketHost {
  readonly ends: WebSocketEnd[] = []
  readonly #server: Server
  readonly #sockets: WebSocketServer

  constructor(
    tls: Parameters<typeof createHttpsServer>[0] | undefined,
    onOutput: (output: CoapStreamOutput) => CoapStreamInput | undefined
  ) {
    this.#server = tls === undefined ? createHttpServer() : createHttpsServer(tls)
    this.#sockets = new WebSocketServer({
      server: this.#server,
      path: WEBSOCKET_PATH,
      handleProtocols: (offered) => (offered.has(WEBSOCKET_SUBPROTOCOL) ? WEBSOCKET_SUBPROTOCOL : false)
    })
    this.#sockets.on('connection', (socket) => {
      this.ends.push(new WebSocketEnd(socket, 100 + this.ends.length, onOutput))
    })
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    // @types/node: a server on TCP has an AddressInfo.
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#sockets.close()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
