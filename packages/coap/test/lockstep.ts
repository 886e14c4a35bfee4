import { after, type Duration, type Entropy, Instant } from '@breakwater/core'
import { encodeUtf8 } from '@breakwater/core'
import { CoapSession, defaultParameters, Method, uintOption, uriPath } from '../src/index.ts'
import { Code, formatCode, formatMethod, OptionNumber, readUriPath } from '../src/index.ts'
import type {
  CoapOption,
  CoapRequest,
  CoapResponse,
  CoapSessionInput,
  CoapSessionOptions,
  CoapSessionOutput,
  IncomingExchange,
  OutgoingExchange
} from '../src/index.ts'
import { line, showPayload, wire } from '@breakwater/testing'

/** Always the same draw: Message IDs begin at its upper half, tokens are it, `fraction` is it / 2^32. */
export function steadyEntropy(draw: number): Entropy {
  return { uint32: () => draw >>> 0, bytes: (count) => new Uint8Array(count).fill(draw & 0xff) }
}

export interface Conduct {
  readonly options?: readonly CoapOption[]
  readonly observe?: number
  readonly payload?: string | Uint8Array
  readonly confirmable?: boolean
}

/**
 * One session, driven by hand: each call answers what the session did, as lines. What it sends is written as in
 * `notation.ts` behind `> `; what it reports is `request 1 CON GET /x`, `response 1 2.05 "…" final`, `failed 1 timeout` …
 */
export class Lockstep {
  readonly session: CoapSession
  now: Instant = Instant(0)
  /** Everything that was sent, in order. */
  readonly sent: Uint8Array[] = []
  /** What was handed up, in order. */
  readonly requests: CoapRequest[] = []
  readonly responses: CoapResponse[] = []

  constructor(options: Partial<CoapSessionOptions> & { readonly draw?: number } = {}) {
    const { draw = 0x7d34_0020, ...others } = options
    this.session = new CoapSession({
      parameters: defaultParameters,
      entropy: steadyEntropy(draw),
      ...others
    })
  }

  feed(input: CoapSessionInput): string[] {
    this.session.handle(input, this.now)
    return this.#drain()
  }

  /** A datagram comes, as a line or as bytes. */
  receive(datagram: string | Uint8Array): string[] {
    return this.feed({ kind: 'datagram', bytes: typeof datagram === 'string' ? wire(datagram) : datagram })
  }

  get(exchange: number, path = 'temperature', conduct: Conduct = {}): string[] {
    return this.request(exchange, Method.get, path, conduct)
  }

  request(exchange: number, method: number, path: string, conduct: Conduct = {}): string[] {
    const options = [...this.#observeOption(conduct), ...uriPath(path), ...(conduct.options ?? [])]
    const payload = asBytes(conduct.payload ?? '')
    return this.feed({
      kind: 'request',
      exchange: exchange as OutgoingExchange,
      request: { method, options, payload },
      confirmable: conduct.confirmable ?? true
    })
  }

  respond(
    exchange: number,
    code: number,
    payload: string | Uint8Array = '',
    conduct: Conduct = {}
  ): string[] {
    const options = [...this.#observeOption(conduct), ...(conduct.options ?? [])]
    return this.feed({
      kind: 'respond',
      exchange: exchange as IncomingExchange,
      response: { code, options, payload: asBytes(payload) }
    })
  }

  notify(
    exchange: number,
    payload: string | Uint8Array,
    confirmable: boolean,
    code: number = Code.content,
    options: readonly CoapOption[] = []
  ): string[] {
    return this.feed({
      kind: 'notify',
      exchange: exchange as IncomingExchange,
      response: { code, options, payload: asBytes(payload) },
      confirmable
    })
  }

  forgetObserver(exchange: number): string[] {
    return this.feed({ kind: 'forget-observer', exchange: exchange as IncomingExchange })
  }

  cancel(exchange: number, deregister = false): string[] {
    return this.feed({ kind: 'cancel', exchange: exchange as OutgoingExchange, deregister })
  }

  repeat(exchange: number): string[] {
    return this.feed({ kind: 'repeat', exchange: exchange as OutgoingExchange })
  }

  ping(exchange: number): string[] {
    return this.feed({ kind: 'ping', exchange: exchange as OutgoingExchange })
  }

  /** Lets time pass, with every wake-up on the way at its very moment. */
  advance(duration: Duration): string[] {
    const end = after(this.now, duration)
    const lines: string[] = []
    for (
      let next = this.session.nextTimeout();
      next !== undefined && next <= end;
      next = this.session.nextTimeout()
    )
      lines.push(...this.wakeAt(next))
    this.now = end
    return lines
  }

  /** Moves on to the next wake-up. */
  wake(): string[] {
    const next = this.session.nextTimeout()
    if (next === undefined) throw new Error('the session waits for nothing')
    return this.wakeAt(next)
  }

  /** Wakes the session at this moment, early or late. */
  wakeAt(moment: Instant): string[] {
    if (moment < this.now) throw new Error(`${moment} lies before ${this.now}`)
    this.now = moment
    this.session.handleTimeout(moment)
    return this.#drain()
  }

  #observeOption(conduct: Conduct): CoapOption[] {
    return conduct.observe === undefined ? [] : [uintOption(OptionNumber.observe, conduct.observe)]
  }

  #drain(): string[] {
    const lines: string[] = []
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll())
      lines.push(this.#show(output))
    return lines
  }

  #show(output: CoapSessionOutput): string {
    switch (output.kind) {
      case 'send':
        this.sent.push(output.bytes)
        return `> ${line(output.bytes)}`
      case 'request': {
        const { method, options } = output.request
        this.requests.push(output.request)
        const type = output.confirmable ? 'CON' : 'NON'
        return `request ${output.exchange} ${type} ${formatMethod(method)} /${readUriPath(options).join('/')}`
      }
      case 'response': {
        const { code, payload } = output.response
        this.responses.push(output.response)
        const text = payload.length > 0 ? ` ${showPayload(payload)}` : ''
        return `response ${output.exchange} ${formatCode(code)}${text}${output.final ? ' final' : ''}`
      }
      case 'failed':
        return `failed ${output.exchange} ${output.reason}`
      case 'pong':
      case 'observer-gone':
        return `${output.kind} ${output.exchange}`
      case 'malformed':
        return `malformed ${output.error.code}`
    }
  }
}

function asBytes(payload: string | Uint8Array): Uint8Array {
  return typeof payload === 'string' ? encodeUtf8(payload) : payload
}
