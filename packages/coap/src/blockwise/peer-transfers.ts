import { after, type Duration, type Instant } from '@breakwater/core'
import { Code, isSuccess } from '../code.ts'
import { ExchangeTable } from '../exchange-table.ts'
import type { CoapOption } from '../message.ts'
import { Method } from '../method.ts'
import { observeAction, withoutObserve } from '../observe/observe-option.ts'
import { findOption } from '../option-value.ts'
import { OptionNumber } from '../option.ts'
import type { CoapRequest, CoapResponse, IncomingExchange } from '../session.ts'
import type { BlockCarrier, BlockwiseOptions } from './block-carrier.ts'
import { BERT_EXPONENT, type Block, blockOption, readBlock } from './block-option.ts'
import { diagnosed, RequestBodies } from './request-bodies.ts'
import { resourceKey } from './resource-key.ts'
import { ResponseBodies } from './response-bodies.ts'

/** What the answer of the application has to fit to. */
interface OpenRequest {
  readonly method: number
  readonly options: readonly CoapOption[]
  readonly asked: Block | undefined
  /** The Block1 of the last block, to be echoed. */
  readonly acknowledged: Block | undefined
  readonly expiresAt: Instant
}

interface Observer {
  readonly key: string
  readonly asked: Block | undefined
}

/** A request of the peer's: answered here, or handed up as a whole. */
export type RequestOutcome =
  | { readonly kind: 'answer'; readonly response: CoapResponse }
  | { readonly kind: 'hand-up'; readonly request: CoapRequest }

/** The server's half of block-wise transfer: the application sees whole requests and gives whole responses. */
export class PeerTransfers {
  readonly #options: BlockwiseOptions
  readonly #carrier: BlockCarrier
  readonly #timeout: Duration
  readonly #requests: RequestBodies
  readonly #responses: ResponseBodies
  readonly #open = new ExchangeTable<OpenRequest>()
  readonly #observers = new Map<IncomingExchange, Observer>()
  /** Whether an observer has asked for blocks of a certain size. */
  #observedInBlocks = false

  constructor(options: BlockwiseOptions, carrier: BlockCarrier, timeout: Duration) {
    this.#options = options
    this.#carrier = carrier
    this.#timeout = timeout
    this.#requests = new RequestBodies(options, carrier, timeout)
    this.#responses = new ResponseBodies(options, carrier, timeout)
  }

  /** Whether there is nothing that could expire. */
  get isIdle(): boolean {
    return this.#open.size === 0 && this.#requests.size === 0 && this.#responses.size === 0
  }

  /** Bodies of requests and of responses. */
  get kept(): number {
    return this.#requests.size + this.#responses.size
  }

  receive(
    exchange: IncomingExchange,
    request: CoapRequest,
    confirmable: boolean,
    now: Instant
  ): RequestOutcome {
    const asked = readBlock(request.options, OptionNumber.block2)
    const block = readBlock(request.options, OptionNumber.block1)
    if (asked?.sizeExponent === BERT_EXPONENT && !this.#carrier.acceptsBert)
      return { kind: 'answer', response: diagnosed(Code.badRequest, 'SZX 7 is reserved') }
    if (block !== undefined) return this.#receiveBlock(exchange, request, block, asked, confirmable, now)
    if (request.payload.length > this.#options.maximumBodyBytes)
      return { kind: 'answer', response: this.#requests.tooLarge(undefined) }
    if (asked !== undefined && asked.number > 0) return this.#receiveFurther(exchange, request, asked, now)
    return this.#handUp(exchange, request, asked, undefined, now)
  }

  #receiveBlock(
    exchange: IncomingExchange,
    request: CoapRequest,
    block: Block,
    asked: Block | undefined,
    confirmable: boolean,
    now: Instant
  ): RequestOutcome {
    if (asked !== undefined && asked.number > 0)
      return { kind: 'answer', response: diagnosed(Code.badRequest, 'Block1 with a Block2 behind block 0') }
    const outcome = this.#requests.receive(request, block, confirmable, now)
    if (outcome.kind === 'answer') return outcome
    return this.#handUp(exchange, outcome.request, asked, outcome.acknowledged, now)
  }

  #receiveFurther(
    exchange: IncomingExchange,
    request: CoapRequest,
    asked: Block,
    now: Instant
  ): RequestOutcome {
    const key = resourceKey(request.method, request.options)
    const outcome = this.#responses.further(key, request.method, asked, now)
    if (outcome.kind === 'answer') return outcome
    // RFC 7959 §2.4 demands no state: a GET can be done again, and the ETag tells whether it is the same version.
    if (outcome.kind === 'unknown' && request.method === Method.get)
      return this.#handUp(exchange, request, asked, undefined, now)
    return {
      kind: 'answer',
      response: diagnosed(Code.requestEntityIncomplete, `block ${asked.number} is not to be had alone`)
    }
  }

  #handUp(
    exchange: IncomingExchange,
    request: CoapRequest,
    asked: Block | undefined,
    acknowledged: Block | undefined,
    now: Instant
  ): RequestOutcome {
    const { method, payload } = request
    let options = request.options
    if (asked !== undefined) options = options.filter(({ number }) => number !== OptionNumber.block2)
    // RFC 7959 §2.6: an observation is of a whole resource.
    if (asked !== undefined && asked.number > 0) options = withoutObserve(options)
    this.#open.add(exchange, { method, options, asked, acknowledged, expiresAt: after(now, this.#timeout) })
    return { kind: 'hand-up', request: options === request.options ? request : { method, options, payload } }
  }

  /** What is to be sent for the answer of the application. */
  respond(exchange: IncomingExchange, response: CoapResponse, now: Instant): CoapResponse {
    const open = this.#open.get(exchange)
    if (open === undefined) return response
    const { asked, acknowledged } = open
    const whole = this.#observable(exchange, open, response)
    const fitting = this.#responses.isWhole(whole, asked)
      ? whole
      : this.#responses.cut(resourceKey(open.method, open.options), whole, asked, now)
    this.#open.delete(exchange)
    if (acknowledged === undefined) return fitting
    const { code, options, payload } = fitting
    return { code, options: [...options, blockOption(OptionNumber.block1, acknowledged)], payload }
  }

  /** No answer will come. */
  ignore(exchange: IncomingExchange): void {
    this.#open.delete(exchange)
  }

  /** Keeps what notifications to an observer have to fit to (RFC 7959 §2.6), or leaves the Observe option out. */
  #observable(exchange: IncomingExchange, open: OpenRequest, response: CoapResponse): CoapResponse {
    const { method, options, asked } = open
    if (findOption(response.options, OptionNumber.observe) === undefined) return response
    if (observeAction(method, options) === 'register' && isSuccess(response.code)) {
      this.#observers.set(exchange, { key: resourceKey(method, options), asked })
      if (asked !== undefined) this.#observedInBlocks = true
      return response
    }
    return { ...response, options: withoutObserve(response.options) }
  }

  /** Whether a notification concerns nothing here: it is short, and nobody fetches anything in blocks. */
  leavesAsItIs({ code, payload }: CoapResponse): boolean {
    return isSuccess(code) && payload.length <= this.longestAsItIs
  }

  /** Up to which length, in bytes, a notification concerns nothing here; -1: each of them does. */
  get longestAsItIs(): number {
    return this.#observedInBlocks || this.#responses.size > 0 ? -1 : this.#carrier.wholeBytes
  }

  /** RFC 7959 §2.6: only the first block of a notification is pushed; the peer fetches the others. */
  notify(exchange: IncomingExchange, response: CoapResponse, now: Instant): CoapResponse {
    const observer = this.#observers.get(exchange)
    if (observer === undefined) return response
    const { key, asked } = observer
    if (!isSuccess(response.code)) this.#observers.delete(exchange)
    if (!this.#responses.isWhole(response, asked)) return this.#responses.cut(key, response, asked, now)
    this.#responses.forget(key)
    return response
  }

  observerGone(exchange: IncomingExchange): void {
    this.#observers.delete(exchange)
  }

  /** Drops what stood still for too long. */
  expire(now: Instant): void {
    this.#requests.expire(now)
    this.#responses.expire(now)
    const isOver = ({ expiresAt }: OpenRequest): boolean => expiresAt <= now
    while (this.#open.takeOldest(isOver) !== undefined);
  }
}
