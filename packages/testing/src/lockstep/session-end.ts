import type { Instant, Machine } from '@breakwater/core'
import type {
  CoapRequest,
  CoapResponse,
  CoapSessionInput,
  CoapSessionOutput,
  IncomingExchange,
  OutgoingExchange
} from '@breakwater/coap'
import type { LockstepEnd } from './play-figure.ts'

/** What the application at an end says to a request; undefined: not yet. */
export type Answering = (request: CoapRequest, exchange: IncomingExchange) => CoapResponse | undefined

/** A CoAP session as one end of a figure, with the application on it: it answers at once, or when an act says so. */
export class SessionEnd implements LockstepEnd {
  readonly #session: Machine<CoapSessionInput, CoapSessionOutput>
  readonly #answering: Answering
  readonly #sent: Uint8Array[] = []
  #exchanges = 0
  /** What came back, in order. */
  readonly responses: CoapResponse[] = []
  /** Requests that came, in order, with the names of their exchanges. */
  readonly requests: { readonly request: CoapRequest; readonly exchange: IncomingExchange }[] = []
  /** Failures, and observers that are gone, in order. */
  readonly ends: string[] = []

  constructor(session: Machine<CoapSessionInput, CoapSessionOutput>, answering: Answering = () => undefined) {
    this.#session = session
    this.#answering = answering
  }

  /** Asks, and names the exchange. */
  ask(request: CoapRequest, confirmable: boolean, now: Instant): OutgoingExchange {
    const exchange = ++this.#exchanges as OutgoingExchange
    this.feed({ kind: 'request', exchange, request, confirmable }, now)
    return exchange
  }

  feed(input: CoapSessionInput, now: Instant): void {
    this.#session.handle(input, now)
    this.#drain(now)
  }

  receive(bytes: Uint8Array, now: Instant): void {
    this.feed({ kind: 'datagram', bytes }, now)
  }

  sent(): Uint8Array | undefined {
    this.#collect(this.#session.poll())
    return this.#sent.shift()
  }

  nextTimeout(): Instant | undefined {
    return this.#session.nextTimeout()
  }

  handleTimeout(now: Instant): void {
    this.#session.handleTimeout(now)
    this.#drain(now)
  }

  #drain(now: Instant): void {
    const answers: CoapSessionInput[] = []
    for (let output = this.#session.poll(); output !== undefined; output = this.#session.poll()) {
      const answer = this.#collect(output)
      if (answer !== undefined) answers.push(answer)
    }
    for (const answer of answers) this.feed(answer, now)
  }

  #collect(output: CoapSessionOutput | undefined): CoapSessionInput | undefined {
    switch (output?.kind) {
      case 'send':
        this.#sent.push(output.bytes)
        return undefined
      case 'response':
        this.responses.push(output.response)
        return undefined
      case 'request':
        return this.#answer(output.request, output.exchange)
      case 'failed':
        this.ends.push(output.reason)
        return undefined
      case 'observer-gone':
        this.ends.push(output.kind)
        return undefined
      case 'pong':
      case 'malformed':
      case undefined:
        return undefined
    }
  }

  #answer(request: CoapRequest, exchange: IncomingExchange): CoapSessionInput | undefined {
    this.requests.push({ request, exchange })
    const response = this.#answering(request, exchange)
    return response === undefined ? undefined : { kind: 'respond', exchange, response }
  }
}
