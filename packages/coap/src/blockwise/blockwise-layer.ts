import {
  after,
  decodeUtf8,
  DecodeError,
  type Duration,
  earlier,
  type Instant,
  type Machine,
  Queue
} from '@breakwater/core'
import { Code } from '../code.ts'
import type { SessionLoad } from '../session-load.ts'
import type {
  CoapResponse,
  CoapSessionInput,
  CoapSessionOutput,
  IncomingExchange,
  ObserverHandle,
  OutgoingExchange
} from '../session.ts'
import { type BlockCarrier, type BlockwiseOptions, checkBlockwise } from './block-carrier.ts'
import { OwnTransfers } from './own-transfers.ts'
import { PeerTransfers } from './peer-transfers.ts'

type RequestOutput = Extract<CoapSessionOutput, { kind: 'request' }>
type RespondInput = Extract<CoapSessionInput, { kind: 'respond' }>
type NotifyInput = Extract<CoapSessionInput, { kind: 'notify' }>
type PingInput = Extract<CoapSessionInput, { kind: 'ping' }>
type PingOutcome = Extract<CoapSessionOutput, { kind: 'failed' | 'pong' }>

/** The exchanges that blocks travel in: a session of its own, or one on a stream. */
export interface Exchanges extends Machine<CoapSessionInput, CoapSessionOutput> {
  load(): SessionLoad
  /** Of an observer to whom notifications can go past the layers; absent where none can. */
  observer?(exchange: IncomingExchange): ObserverHandle | undefined
  /** Up to which length of their payloads, in bytes, they may do so; -1: none may. */
  limitPlain?(payloadBytes: number): void
}

/**
 * Block-wise transfer (RFC 7959) between a session's exchanges and its caller: above there are only whole bodies.
 * It has the face of a session itself.
 */
export class BlockwiseLayer implements Exchanges {
  readonly #exchanges: Exchanges
  readonly #timeout: Duration
  readonly #own: OwnTransfers
  readonly #peer: PeerTransfers
  /** What is to go down as soon as the exchanges are drained. */
  readonly #down = new Queue<CoapSessionInput>()
  readonly #up = new Queue<CoapSessionOutput>()
  readonly #pings = new Map<OutgoingExchange, OutgoingExchange>()
  /** Blocks that were refused, to be told behind their answers. */
  readonly #refused: DecodeError[] = []
  #sweepAt: Instant | undefined
  /** What the exchanges were told last. */
  #longestPlain = -1

  /**
   * @param timeout How long a transfer may stand still; an application has as long for its answer.
   * @throws InternalError `COAP_BLOCKWISE_INVALID`.
   */
  constructor(exchanges: Exchanges, options: BlockwiseOptions, carrier: BlockCarrier, timeout: Duration) {
    checkBlockwise(options)
    this.#exchanges = exchanges
    this.#timeout = timeout
    this.#peer = new PeerTransfers(options, carrier, timeout)
    this.#own = new OwnTransfers(options, carrier, timeout, {
      down: (input) => this.#down.push(input),
      up: (output) => this.#up.push(output)
    })
  }

  handle(input: CoapSessionInput, now: Instant): void {
    // What most notifications are: there may be very many at a time.
    if (input.kind === 'notify' && this.#peer.leavesAsItIs(input.response)) {
      this.#exchanges.handle(input, now)
      return
    }
    this.#fromAbove(input, now)
    this.#carryDown(now)
  }

  #fromAbove(input: CoapSessionInput, now: Instant): void {
    switch (input.kind) {
      case 'request':
        this.#own.start(input.exchange, input.request, input.confirmable)
        return
      case 'repeat':
        this.#own.repeat(input.exchange)
        return
      case 'cancel':
        this.#own.cancel(input.exchange, input.deregister)
        this.#cancelPing(input.exchange)
        return
      case 'respond':
        this.#respond(input, now)
        return
      case 'ignore':
        this.#peer.ignore(input.exchange)
        this.#down.push(input)
        return
      case 'notify':
        this.#notify(input, now)
        return
      case 'forget-observer':
        this.#peer.observerGone(input.exchange)
        this.#down.push(input)
        return
      case 'ping':
        this.#ping(input)
        return
      case 'datagram':
      case 'parameters':
        this.#lower(input, now)
    }
  }

  /** Most bodies are whole and leave as they are. */
  #respond(input: RespondInput, now: Instant): void {
    const response = this.#peer.respond(input.exchange, input.response, now)
    this.#lower(response === input.response ? input : { ...input, response }, now)
  }

  #notify(input: NotifyInput, now: Instant): void {
    const response = this.#peer.notify(input.exchange, input.response, now)
    this.#lower(response === input.response ? input : { ...input, response }, now)
  }

  #ping(input: PingInput): void {
    const below = this.#own.newBelow()
    this.#pings.set(below, input.exchange)
    this.#down.push({ ...input, exchange: below })
  }

  #cancelPing(exchange: OutgoingExchange): void {
    for (const [below, above] of this.#pings) {
      if (above !== exchange) continue
      this.#pings.delete(below)
      this.#down.push({ kind: 'cancel', exchange: below })
    }
  }

  /** Until nothing moves any more; to be called after the exchanges were told something past this layer. */
  settle(now: Instant): void {
    this.#raise(now)
    this.#carryDown(now)
  }

  #carryDown(now: Instant): void {
    for (let input = this.#down.shift(); input !== undefined; input = this.#down.shift())
      this.#lower(input, now)
    if (this.#refused.length > 0)
      for (const error of this.#refused.splice(0)) this.#up.push({ kind: 'malformed', error })
    if (this.#sweepAt === undefined && !this.#peer.isIdle) this.#sweepAt = after(now, this.#timeout)
    if (this.#longestPlain !== this.#peer.longestAsItIs) this.#limitPlain()
  }

  #limitPlain(): void {
    this.#longestPlain = this.#peer.longestAsItIs
    this.#exchanges.limitPlain?.(this.#longestPlain)
  }

  observer(exchange: IncomingExchange): ObserverHandle | undefined {
    // Also what was said before there was any observer.
    this.#limitPlain()
    return this.#exchanges.observer?.(exchange)
  }

  /** The exchanges are drained before each input, as every machine wants it: after the one before. */
  #lower(input: CoapSessionInput, now: Instant): void {
    this.#exchanges.handle(input, now)
    this.#raise(now)
  }

  #raise(now: Instant): void {
    for (let output = this.#exchanges.poll(); output !== undefined; output = this.#exchanges.poll())
      this.#fromBelow(output, now)
  }

  #fromBelow(output: CoapSessionOutput, now: Instant): void {
    switch (output.kind) {
      case 'request':
        this.#receive(output, now)
        return
      case 'response':
        this.#own.responded(output.exchange, output.response, output.final, now)
        return
      case 'failed':
        if (this.#endPing(output.exchange, output)) return
        this.#own.failed(output.exchange, output.reason)
        return
      case 'pong':
        this.#endPing(output.exchange, output)
        return
      case 'observer-gone':
        this.#peer.observerGone(output.exchange)
        this.#up.push(output)
        return
      case 'send':
      case 'malformed':
        this.#up.push(output)
    }
  }

  #receive(output: RequestOutput, now: Instant): void {
    const exchange: IncomingExchange = output.exchange
    const outcome = this.#peer.receive(exchange, output.request, output.confirmable, now)
    if (outcome.kind === 'answer') this.#answer(exchange, outcome.response)
    else this.#up.push(outcome.request === output.request ? output : { ...output, request: outcome.request })
  }

  /** To a block, without the application. One that makes no body is reported, so that it is counted. */
  #answer(exchange: IncomingExchange, response: CoapResponse): void {
    this.#down.push({ kind: 'respond', exchange, response })
    if (response.code !== Code.badRequest) return
    this.#refused.push(new DecodeError('COAP_BLOCK_REFUSED', decodeUtf8(response.payload)))
  }

  #endPing(below: OutgoingExchange, output: PingOutcome): boolean {
    const exchange = this.#pings.get(below)
    if (exchange === undefined) return false
    this.#pings.delete(below)
    this.#up.push({ ...output, exchange })
    return true
  }

  poll(): CoapSessionOutput | undefined {
    if (!this.#up.isEmpty) return this.#up.shift()
    // What the exchanges said before their first input came, or when they were told something past this layer.
    const output = this.#exchanges.poll()
    if (output?.kind === 'observer-gone') this.#peer.observerGone(output.exchange)
    return output
  }

  load(): SessionLoad {
    const below = this.#exchanges.load()
    const transfers = this.#peer.kept
    return { ...below, requests: Math.max(below.requests, this.#own.size), transfers }
  }

  nextTimeout(): Instant | undefined {
    return earlier(earlier(this.#exchanges.nextTimeout(), this.#own.nextTimeout()), this.#sweepAt)
  }

  handleTimeout(now: Instant): void {
    this.#exchanges.handleTimeout(now)
    this.settle(now)
    this.#own.expire(now)
    if (this.#sweepAt !== undefined && this.#sweepAt <= now) {
      this.#peer.expire(now)
      this.#sweepAt = undefined
    }
    this.settle(now)
  }
}
