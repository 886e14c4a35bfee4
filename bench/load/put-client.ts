import { EventEmitter, once } from 'node:events'
import { CoapSession, Code, Method, OptionNumber, defaultParameters, uintOption } from '@breakwater/coap'
import type { CoapRequest, CoapResponse, OutgoingExchange } from '@breakwater/coap'
import { Instant, ipv4 } from '@breakwater/core'
import type { PeerId, SecureEndpoint } from '@breakwater/core'
import { CONTENT_FORMAT_DOTS_CBOR, mitigatePath, mitigationRequestBody } from '@breakwater/dots'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { encodeSignal } from '@breakwater/model'
import { systemEntropy } from '@breakwater/runtime'
import { KEY_HEX, cuidOf, identityOf, midOf, targetOf } from './many-clients.ts'

/** Without an answer for so long, a request is sent again: a datagram may be lost in a full socket. */
const REPEAT_AFTER_MS = 1000

/** `new`: each mitigation has an address of its own; `replace`: each takes the place of the one before. */
export type Pattern = 'new' | 'replace'

/** One DOTS client that asks for one mitigation after the other, as fast as they are acknowledged. */
export class PutClient {
  acknowledged = 0
  readonly #index: number
  readonly #pattern: Pattern
  readonly #coap: CoapSession
  #endpoint: SecureEndpoint | undefined
  #peer: PeerId | undefined
  #running = false
  #count = 0
  #exchange = 0 as OutgoingExchange
  #sentAt: number | undefined

  constructor(index: number, pattern: Pattern) {
    this.#index = index
    this.#pattern = pattern
    this.#coap = new CoapSession({ parameters: defaultParameters, entropy: systemEntropy() })
  }

  /** Resolves when the session is there. */
  async connect(port: number): Promise<void> {
    const local = { address: ipv4(0x7f000001), port: 0 }
    const key = Buffer.from(KEY_HEX, 'hex')
    const credentials = { kind: 'psk', identity: identityOf(this.#index), key } as const
    const session = new EventEmitter()
    const endpoint = await openDtlsEndpoint(
      { role: 'client', local, credentials },
      {
        onBatch: (batch) => {
          for (let at = 0; at < batch.count; at++) this.#receive(batch.bytes(at))
        },
        onSession: (event) => {
          if (event.kind === 'established') session.emit('established')
          else session.emit('error', new Error(`session ${this.#index}: ${event.reason}`))
        }
      }
    )
    this.#endpoint = endpoint
    this.#peer = endpoint.connect({ remote: { ...local, port }, serverName: 'server.example' })
    await once(session, 'established')
  }

  start(): void {
    this.#running = true
    if (this.#sentAt === undefined) this.#ask()
  }

  /** Asks for one mitigation, unless one is on its way. @returns whether it did. */
  askOnce(): boolean {
    if (this.#sentAt !== undefined) return false
    this.#ask()
    return true
  }

  stop(): void {
    this.#running = false
  }

  /** Repeats what got lost. */
  watch(): void {
    const now = performance.now()
    if (this.#sentAt === undefined || now - this.#sentAt < REPEAT_AFTER_MS) return
    this.#sentAt = now
    this.#coap.handle({ kind: 'repeat', exchange: this.#exchange }, Instant(now))
    this.#drain()
  }

  #ask(): void {
    const now = performance.now()
    this.#exchange = (this.#exchange + 1) as OutgoingExchange
    this.#sentAt = now
    // RFC 9132 §4.4: Non-confirmable.
    const request = this.#request()
    this.#coap.handle(
      { kind: 'request', exchange: this.#exchange, request, confirmable: false },
      Instant(now)
    )
    this.#drain()
  }

  #request(): CoapRequest {
    this.#count++
    const [mid, host] =
      this.#pattern === 'new' ? [this.#count, this.#count] : [1_000_000 + this.#count, 65_535]
    return {
      method: Method.put,
      options: [
        ...mitigatePath(cuidOf(this.#index), midOf(mid)),
        uintOption(OptionNumber.contentFormat, CONTENT_FORMAT_DOTS_CBOR)
      ],
      payload: encodeSignal(mitigationRequestBody(targetOf(this.#index, host), 3600))
    }
  }

  #receive(bytes: Uint8Array): void {
    this.#coap.handle({ kind: 'datagram', bytes }, Instant(performance.now()))
    this.#drain()
  }

  #drain(): void {
    let answer: CoapResponse | undefined
    for (let output = this.#coap.poll(); output !== undefined; output = this.#coap.poll()) {
      if (output.kind === 'send' && this.#peer !== undefined) this.#endpoint?.send(this.#peer, output.bytes)
      if (output.kind === 'response' && output.exchange === this.#exchange) answer = output.response
      if (output.kind === 'failed') throw new Error(`a request failed: ${output.reason}`)
    }
    if (answer === undefined) return
    if (answer.code !== Code.created) throw new Error(`client ${this.#index}: answer ${answer.code}`)
    this.acknowledged++
    this.#sentAt = undefined
    if (this.#running) this.#ask()
  }
}
