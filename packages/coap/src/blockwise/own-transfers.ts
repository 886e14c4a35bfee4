import { after, DecodeError, type Duration, earlier, type Instant, InternalError } from '@breakwater/core'
import { isSuccess } from '../code.ts'
import type { CoapOption } from '../message.ts'
import { Method } from '../method.ts'
import { observeAction } from '../observe/observe-option.ts'
import { findOption } from '../option-value.ts'
import { OptionNumber } from '../option.ts'
import type {
  CoapRequest,
  CoapResponse,
  CoapSessionInput,
  CoapSessionOutput,
  ExchangeFailure,
  OutgoingExchange
} from '../session.ts'
import {
  type BlockCarrier,
  type BlockwiseOptions,
  receivingExponent,
  sendingExponent
} from './block-carrier.ts'
import { BERT_EXPONENT, type Block, blockOption, readBlock } from './block-option.ts'
import { isSmallerSizeHint, RequestUpload } from './request-upload.ts'
import { ResponseAssembly, withoutBlocks } from './response-assembly.ts'

/** How often the blocks of a representation that changes meanwhile are asked for from the beginning. */
const MOST_RESTARTS = 3

/** A response body of which blocks are still to be fetched, each in an exchange of its own. */
interface Fetch {
  assembly: ResponseAssembly
  /** Handed up with the whole. */
  readonly final: boolean
  restarts: number
  below: OutgoingExchange
  expiresAt: Instant
}

/**
 * One request of the caller's. `main` is the exchange below that carries it: block after block of `upload`, then, where
 * it observes, for as long as the observation lasts.
 */
interface OwnTransfer {
  readonly exchange: OutgoingExchange
  readonly request: CoapRequest
  readonly confirmable: boolean
  readonly observes: boolean
  main: OutgoingExchange | undefined
  upload: RequestUpload | undefined
  fetch: Fetch | undefined
}

/** Where the client's half sends what it wants: down to the exchanges, up to the caller. */
export interface TransferPorts {
  down(input: CoapSessionInput): void
  up(output: CoapSessionOutput): void
}

/**
 * The client's half of block-wise transfer: the caller gives whole requests and gets whole responses. Exchanges below have
 * numbers of our own, as one of the caller's may take many.
 */
export class OwnTransfers {
  readonly #options: BlockwiseOptions
  readonly #carrier: BlockCarrier
  readonly #timeout: Duration
  readonly #ports: TransferPorts
  readonly #byExchange = new Map<OutgoingExchange, OwnTransfer>()
  readonly #byBelow = new Map<OutgoingExchange, OwnTransfer>()
  #lastBelow = 0

  constructor(options: BlockwiseOptions, carrier: BlockCarrier, timeout: Duration, ports: TransferPorts) {
    this.#options = options
    this.#carrier = carrier
    this.#timeout = timeout
    this.#ports = ports
  }

  /** Requests and observations that are open. */
  get size(): number {
    return this.#byExchange.size
  }

  /** A number for an exchange below. */
  newBelow(): OutgoingExchange {
    this.#lastBelow++
    return this.#lastBelow as OutgoingExchange
  }

  start(exchange: OutgoingExchange, request: CoapRequest, confirmable: boolean): void {
    if (this.#byExchange.has(exchange))
      throw new InternalError('COAP_EXCHANGE_IN_USE', `outgoing exchange ${exchange} is in use`)
    checkBlocks(request)
    const transfer: OwnTransfer = {
      exchange,
      request,
      confirmable,
      observes: observeAction(request.method, request.options) === 'register',
      main: undefined,
      upload: undefined,
      fetch: undefined
    }
    if (request.payload.length > this.#carrier.wholeBytes) {
      const exponent = sendingExponent(this.#options.preferredSize, this.#carrier)
      transfer.upload = new RequestUpload(request, this.#carrier, exponent)
    }
    this.#byExchange.set(exchange, transfer)
    this.#sendMain(transfer)
  }

  #sendMain(transfer: OwnTransfer): void {
    const { upload, confirmable } = transfer
    const request = upload === undefined ? transfer.request : upload.compose()
    transfer.main = this.newBelow()
    this.#byBelow.set(transfer.main, transfer)
    this.#ports.down({ kind: 'request', exchange: transfer.main, request, confirmable })
  }

  repeat(exchange: OutgoingExchange): void {
    const transfer = this.#byExchange.get(exchange)
    const below = transfer?.fetch?.below ?? transfer?.main
    if (below !== undefined) this.#ports.down({ kind: 'repeat', exchange: below })
  }

  cancel(exchange: OutgoingExchange, deregister = false): void {
    const transfer = this.#byExchange.get(exchange)
    if (transfer === undefined) return
    this.#stopFetch(transfer)
    if (transfer.main !== undefined) this.#ports.down({ kind: 'cancel', exchange: transfer.main, deregister })
    this.#end(transfer)
  }

  failed(below: OutgoingExchange, reason: ExchangeFailure): void {
    const transfer = this.#byBelow.get(below)
    if (transfer === undefined) return
    this.#byBelow.delete(below)
    if (transfer.fetch?.below === below) transfer.fetch = undefined
    else transfer.main = undefined
    // A notification that could not be fetched is lost; the next one brings the state that is then.
    if (transfer.main === undefined) this.#fail(transfer, reason)
  }

  responded(below: OutgoingExchange, response: CoapResponse, final: boolean, now: Instant): void {
    const transfer = this.#byBelow.get(below)
    if (transfer === undefined) return
    if (final) this.#byBelow.delete(below)
    if (transfer.fetch?.below === below) {
      this.#fetched(transfer, transfer.fetch, response, now)
      return
    }
    if (final) transfer.main = undefined
    if (this.#goesOn(transfer, response)) return
    this.#begin(transfer, response, final, now)
  }

  /** Whether the request itself is still to be sent, at least in part. */
  #goesOn(transfer: OwnTransfer, response: CoapResponse): boolean {
    const { upload, request } = transfer
    if (upload === undefined) {
      // RFC 7959 §2.9.3: a hint to a request that came in one piece.
      if (!isSmallerSizeHint(response, BERT_EXPONENT, request.payload.length)) return false
      const exponent = readBlock(response.options, OptionNumber.block1)?.sizeExponent ?? 0
      transfer.upload = new RequestUpload(request, this.#carrier, exponent)
      this.#sendMain(transfer)
      return true
    }
    switch (upload.answered(response)) {
      case 'next':
      case 'again':
        this.#sendMain(transfer)
        return true
      case 'fault':
        this.#fault(transfer, new DecodeError('COAP_BLOCK_UNEXPECTED', 'the answer to a block fits to none'))
        return true
      case 'over':
        return false
    }
  }

  /** A response to the request as a whole, or a notification. */
  #begin(transfer: OwnTransfer, response: CoapResponse, final: boolean, now: Instant): void {
    // RFC 7959 §2.6: what is still fetched of an earlier state is of no use any more.
    this.#stopFetch(transfer)
    const block = readBlock(response.options, OptionNumber.block2)
    if (block === undefined) {
      this.#deliver(transfer, response, final)
      return
    }
    const fetch: Fetch = {
      assembly: this.#newAssembly(),
      final,
      restarts: 0,
      below: 0 as OutgoingExchange,
      expiresAt: now
    }
    this.#add(transfer, fetch, response, block, now)
  }

  #newAssembly(): ResponseAssembly {
    return new ResponseAssembly(this.#options.maximumBodyBytes, this.#carrier.acceptsBert)
  }

  /** A response to a request for one more block. */
  #fetched(transfer: OwnTransfer, fetch: Fetch, response: CoapResponse, now: Instant): void {
    transfer.fetch = undefined
    if (!isSuccess(response.code) && transfer.main !== undefined) {
      this.#fault(
        transfer,
        new DecodeError('COAP_BODY_CHANGED', 'the rest of a notification is not to be had')
      )
      return
    }
    const block = readBlock(response.options, OptionNumber.block2)
    if (block === undefined || !isSuccess(response.code)) this.#deliver(transfer, response, fetch.final)
    else this.#add(transfer, fetch, response, block, now)
  }

  #add(transfer: OwnTransfer, fetch: Fetch, response: CoapResponse, block: Block, now: Instant): void {
    const step = fetch.assembly.add(response, block)
    switch (step.kind) {
      case 'continue':
        this.#fetchNext(transfer, fetch, now)
        return
      case 'whole':
        this.#deliver(transfer, step.response, fetch.final)
        return
      case 'changed':
        this.#restart(transfer, fetch, response, block, now)
        return
      case 'fault':
        this.#fault(transfer, step.error)
    }
  }

  /** RFC 7959 §2.4: another version. What is safe to ask for again is asked for from block 0 on. */
  #restart(transfer: OwnTransfer, fetch: Fetch, response: CoapResponse, block: Block, now: Instant): void {
    fetch.restarts++
    if (transfer.request.method !== Method.get || fetch.restarts > MOST_RESTARTS) {
      this.#fault(transfer, new DecodeError('COAP_BODY_CHANGED', 'the representation changes too fast'))
      return
    }
    fetch.assembly = this.#newAssembly()
    if (block.number === 0) this.#add(transfer, fetch, response, block, now)
    else this.#fetchNext(transfer, fetch, now)
  }

  #fetchNext(transfer: OwnTransfer, fetch: Fetch, now: Instant): void {
    const { preferredSize, repeatsEntityTag = false } = this.#options
    const block = fetch.assembly.next(receivingExponent(preferredSize, this.#carrier))
    // RFC 7252 §5.10: an ETag has a meaning in GET (and RFC 8132 §2.2 in FETCH) only, whatever a server answers to others.
    const { method } = transfer.request
    const isRetrieval = method === Method.get || method === Method.fetch
    const entityTag = repeatsEntityTag && isRetrieval ? fetch.assembly.entityTag : undefined
    fetch.below = this.newBelow()
    fetch.expiresAt = after(now, this.#timeout)
    transfer.fetch = fetch
    this.#byBelow.set(fetch.below, transfer)
    this.#ports.down({
      kind: 'request',
      exchange: fetch.below,
      request: furtherRequest(transfer.request, block, entityTag),
      confirmable: transfer.confirmable
    })
  }

  #deliver(transfer: OwnTransfer, response: CoapResponse, final: boolean): void {
    const { code, payload } = response
    const options = withoutBlocks(response.options)
    if (final) this.#end(transfer)
    this.#ports.up({
      kind: 'response',
      exchange: transfer.exchange,
      response: { code, options, payload },
      final
    })
  }

  /** The peer broke a rule: an observation only loses this notification. */
  #fault(transfer: OwnTransfer, error: DecodeError): void {
    this.#ports.up({ kind: 'malformed', error })
    if (transfer.main === undefined) this.#fail(transfer, 'block-wise')
  }

  #fail(transfer: OwnTransfer, reason: ExchangeFailure): void {
    this.#stopFetch(transfer)
    this.#end(transfer)
    this.#ports.up({ kind: 'failed', exchange: transfer.exchange, reason })
  }

  #stopFetch(transfer: OwnTransfer): void {
    const { fetch } = transfer
    if (fetch === undefined) return
    transfer.fetch = undefined
    this.#byBelow.delete(fetch.below)
    this.#ports.down({ kind: 'cancel', exchange: fetch.below })
  }

  #end(transfer: OwnTransfer): void {
    this.#byExchange.delete(transfer.exchange)
    if (transfer.main !== undefined) this.#byBelow.delete(transfer.main)
  }

  /** When the next body that stands still is given up. */
  nextTimeout(): Instant | undefined {
    let next: Instant | undefined
    for (const { fetch } of this.#byExchange.values()) next = earlier(next, fetch?.expiresAt)
    return next
  }

  /** A Non-confirmable request for a block has no end of its own. */
  expire(now: Instant): void {
    for (const transfer of this.#byExchange.values()) {
      if (transfer.fetch === undefined || now < transfer.fetch.expiresAt) continue
      this.#stopFetch(transfer)
      if (transfer.main === undefined) this.#fail(transfer, 'timeout')
    }
  }
}

/** The block numbers are ours: a caller may only propose a size for the response (RFC 7959 §2.4). */
function checkBlocks(request: CoapRequest): void {
  const asked = readBlock(request.options, OptionNumber.block2)
  const isProposal = asked === undefined || (asked.number === 0 && !asked.more)
  if (findOption(request.options, OptionNumber.block1) !== undefined || !isProposal)
    throw new InternalError('COAP_MESSAGE_UNSENDABLE', 'a request with block numbers of its own')
}

/** RFC 7959 §2.4, §2.7: the same options, no payload, no Block1; §2.6: no Observe; §2.10: no If-None-Match. */
function furtherRequest(request: CoapRequest, block: Block, entityTag: CoapOption | undefined): CoapRequest {
  const options = request.options.filter(
    ({ number }) =>
      number !== OptionNumber.observe &&
      number !== OptionNumber.ifNoneMatch &&
      number !== OptionNumber.block2 &&
      number !== OptionNumber.size1 &&
      number !== OptionNumber.size2
  )
  if (entityTag !== undefined) options.push(entityTag)
  options.push(blockOption(OptionNumber.block2, block))
  return { method: request.method, options, payload: new Uint8Array(0) }
}
