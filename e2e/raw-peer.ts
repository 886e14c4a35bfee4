import {
  decodeMessage,
  encodeMessage,
  formatCode,
  isRequest,
  Method,
  OptionNumber,
  stringOption,
  uintOption
} from '@breakwater/coap'
import type { CoapMessage, CoapOption } from '@breakwater/coap'
import { decodeUtf8, parseIpAddress } from '@breakwater/core'
import type { PeerId, SecureEndpoint, SocketAddress } from '@breakwater/core'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { until } from './dots-process.ts'

/** IANA: application/dots+cbor. */
export const DOTS_CBOR = 271

const NOTHING = new Uint8Array(0)

/** A request as its author wants it, right or wrong. */
export interface RawRequest {
  readonly method?: number
  /** Segments of the Uri-Path; checked by nobody. */
  readonly path: readonly string[]
  readonly options?: readonly CoapOption[]
  readonly payload?: Uint8Array
  readonly confirmable?: boolean
}

/** An answer, short enough to compare: `4.00`, and the diagnostic where there is one. */
export interface RawAnswer {
  readonly code: string
  readonly text: string
  readonly message: CoapMessage
}

/** 127.0.0.1 with a port. */
export function loopback(port: number): SocketAddress {
  const address = parseIpAddress('127.0.0.1')
  if (address === undefined) throw new Error('no address')
  return { address, port }
}

/** A DTLS client that sends any plaintext at all, and keeps all that comes. */
export class RawPeer {
  readonly #endpoint: SecureEndpoint
  readonly #server: PeerId
  readonly #received: CoapMessage[]
  #next = 1

  /**
   * Handshakes with a server on loopback; rejects when nothing comes of it.
   * @param ended The end of the server, if it may come first: nobody needs to wait any longer.
   */
  static async connect(
    port: number,
    identity: string,
    key: Uint8Array,
    mtu = 1280,
    ended?: Promise<unknown>
  ): Promise<RawPeer> {
    const received: CoapMessage[] = []
    let outcome: string | undefined
    const endpoint = await openDtlsEndpoint(
      { role: 'client', local: loopback(0), mtu, credentials: { kind: 'psk', identity, key } },
      {
        onBatch: (batch) => {
          for (let index = 0; index < batch.count; index++)
            received.push(decodeMessage(batch.bytes(index).slice()))
        },
        onSession: (event) => (outcome = event.kind)
      }
    )
    const server = endpoint.connect({ remote: loopback(port), serverName: 'dots.example' })
    try {
      await until(
        () => outcome,
        () => 'no end of the handshake',
        ended
      )
      if (outcome !== 'established') throw new Error(`the handshake ${outcome}`)
    } catch (error) {
      await endpoint.destroy()
      throw error
    }
    return new RawPeer(endpoint, server, received)
  }

  private constructor(endpoint: SecureEndpoint, server: PeerId, received: CoapMessage[]) {
    this.#endpoint = endpoint
    this.#server = server
    this.#received = received
  }

  /** The local address and port, which others may forge. */
  get local(): SocketAddress {
    return this.#endpoint.local
  }

  close(): Promise<void> {
    return this.#endpoint.destroy()
  }

  /** A number that no message of ours had yet: Message ID and token in one. */
  nextId(): number {
    return this.#next++ & 0xffff
  }

  send(bytes: Uint8Array): void {
    if (!this.#endpoint.send(this.#server, bytes)) throw new Error(`${bytes.length} bytes were not sent`)
  }

  /** Encodes and sends; its token is its Message ID. */
  request(request: RawRequest, id: number = this.nextId()): number {
    const { method = Method.put, path, options = [], payload = NOTHING, confirmable = true } = request
    this.send(
      encodeMessage({
        type: confirmable ? 'confirmable' : 'non-confirmable',
        code: method,
        messageId: id,
        token: tokenOf(id),
        options: [...path.map((segment) => stringOption(OptionNumber.uriPath, segment)), ...options],
        payload
      })
    )
    return id
  }

  /** The largest plaintext that fits a datagram, in bytes. */
  get longest(): number {
    return this.#endpoint.maximumPlaintext(this.#server)
  }

  /** Sends a request and waits for its answer, piggybacked or separate. */
  async ask(request: RawRequest): Promise<RawAnswer> {
    const id = this.request(request)
    return until(
      () => this.answerTo(id),
      () => `no answer to ${request.path.join('/')}`
    )
  }

  /** What has come so far in answer to a request. */
  answerTo(id: number): RawAnswer | undefined {
    const message = this.#received.find(
      ({ code, token }) => code !== 0 && !isRequest(code) && Buffer.compare(token, tokenOf(id)) === 0
    )
    if (message === undefined) return undefined
    return { code: formatCode(message.code), text: textOf(message), message }
  }

  /**
   * All that came in reply to `send` until a CoAP ping that was sent behind it came back (RFC 7252 §4.3): what is not
   * here by then was never sent. Requests of the server's own are left out.
   */
  async repliesTo(send: () => void): Promise<CoapMessage[]> {
    const before = this.#received.length
    send()
    const ping = await this.ping()
    return this.#received
      .slice(before)
      .filter(({ code, type, messageId }) => !isRequest(code) && (type !== 'reset' || messageId !== ping))
  }

  /** @returns the Message ID that was used. */
  async ping(): Promise<number> {
    const messageId = this.nextId()
    const before = this.#received.length
    this.send(
      encodeMessage({
        type: 'confirmable',
        code: 0,
        messageId,
        token: NOTHING,
        options: [],
        payload: NOTHING
      })
    )
    await until(
      () =>
        this.#received
          .slice(before)
          .find((message) => message.type === 'reset' && message.messageId === messageId),
      () => 'the ping did not come back'
    )
    return messageId
  }
}

/** Two bytes, high and low. */
export function tokenOf(id: number): Uint8Array {
  return Uint8Array.of(id >> 8, id & 0xff)
}

/** The Uri-Path of a mitigation. */
export function mitigate(...parameters: readonly string[]): string[] {
  return ['.well-known', 'dots', 'mitigate', ...parameters]
}

export const asDotsCbor: CoapOption = uintOption(OptionNumber.contentFormat, DOTS_CBOR)

function textOf({ payload, options }: CoapMessage): string {
  return options.some(({ number }) => number === OptionNumber.contentFormat) ? '' : decodeUtf8(payload)
}
