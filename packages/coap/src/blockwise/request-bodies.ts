import { after, type Duration, encodeUtf8, type Instant } from '@breakwater/core'
import { Code } from '../code.ts'
import type { CoapOption } from '../message.ts'
import { findOption, readUint, uintOption } from '../option-value.ts'
import { OptionNumber } from '../option.ts'
import type { CoapRequest, CoapResponse } from '../session.ts'
import { type BlockCarrier, type BlockwiseOptions, receivingExponent } from './block-carrier.ts'
import { BERT_EXPONENT, type Block, blockOffset, blockOption } from './block-option.ts'
import { Body, hasFittingLength } from './body.ts'
import { resourceKey } from './resource-key.ts'
import { TransferTable } from './transfer-table.ts'

interface PartialRequest {
  /** Of block 0: the options of the whole request. */
  readonly options: readonly CoapOption[]
  readonly body: Body
  readonly complete: boolean
  expiresAt: Instant
}

/** What becomes of one block of the peer's: an answer of ours, or the whole request with what its answer has to echo. */
export type BlockOutcome =
  | { readonly kind: 'answer'; readonly response: CoapResponse }
  | { readonly kind: 'whole'; readonly request: CoapRequest; readonly acknowledged: Block }

/** Request bodies that come block by block, to be acted upon as a whole (RFC 7959 §2.5: "atomic fashion"). */
export class RequestBodies {
  readonly #options: BlockwiseOptions
  readonly #carrier: BlockCarrier
  readonly #timeout: Duration
  readonly #partial: TransferTable<PartialRequest>

  constructor(options: BlockwiseOptions, carrier: BlockCarrier, timeout: Duration) {
    this.#options = options
    this.#carrier = carrier
    this.#timeout = timeout
    this.#partial = new TransferTable(options.maxTransfers ?? 4)
  }

  get size(): number {
    return this.#partial.size
  }

  expire(now: Instant): void {
    this.#partial.expire(now)
  }

  /** One block. `confirmable`: a copy of it never comes here, so that nothing is kept for one. */
  receive(request: CoapRequest, block: Block, confirmable: boolean, now: Instant): BlockOutcome {
    const fault = this.#faultOf(request, block)
    if (fault !== undefined) return { kind: 'answer', response: fault }
    const key = resourceKey(request.method, request.options)
    const before = this.#precedingBlocks(key, request, block, now)
    if (before === undefined) {
      this.#partial.drop(key)
      return answer(Code.requestEntityIncomplete, `block ${block.number} does not continue what came before`)
    }
    if (before.body.length + request.payload.length > this.#options.maximumBodyBytes) {
      this.#partial.drop(key)
      return { kind: 'answer', response: this.tooLarge(block) }
    }
    // RFC 7959 leaves copies to the message layer; a Non-confirmable one with a Message ID of its own comes up to here.
    if (!before.body.endsWith(blockOffset(block), request.payload.length)) before.body.append(request.payload)
    return this.#advance(key, before, request, block, confirmable, now)
  }

  /** RFC 7959 §2.9.3: 4.13 with the largest size that we take; also for bodies that came in one piece. */
  tooLarge(block: Block | undefined): CoapResponse {
    const options = [uintOption(OptionNumber.size1, this.#options.maximumBodyBytes)]
    if (block !== undefined) options.unshift(blockOption(OptionNumber.block1, this.#acknowledge(block)))
    return { code: Code.requestEntityTooLarge, options, payload: new Uint8Array(0) }
  }

  #faultOf(request: CoapRequest, block: Block): CoapResponse | undefined {
    // RFC 7959 §2.2.
    if (block.sizeExponent === BERT_EXPONENT && !this.#carrier.acceptsBert)
      return diagnosed(Code.badRequest, 'SZX 7 is reserved')
    if (!hasFittingLength(block, request.payload.length))
      return diagnosed(Code.badRequest, `block ${block.number} has ${request.payload.length} bytes`)
    // RFC 7959 §2.10: behind block 0 the condition could never be fulfilled.
    if (block.number > 0 && findOption(request.options, OptionNumber.ifNoneMatch) !== undefined)
      return diagnosed(Code.badRequest, 'If-None-Match behind block 0')
    const announced = readUint(request.options, OptionNumber.size1) ?? 0
    return announced > this.#options.maximumBodyBytes ? this.tooLarge(block) : undefined
  }

  /** What this block continues; undefined when it is out of order, late, or of another format. */
  #precedingBlocks(
    key: string,
    request: CoapRequest,
    block: Block,
    now: Instant
  ): PartialRequest | undefined {
    if (block.number === 0)
      return { options: request.options, body: new Body(), complete: false, expiresAt: now }
    const before = this.#partial.find(key, now)
    if (before === undefined || !haveSameFormat(before.options, request.options)) return undefined
    const offset = blockOffset(block)
    if (before.body.endsWith(offset, request.payload.length)) return before
    return offset === before.body.length && !before.complete ? before : undefined
  }

  #advance(
    key: string,
    before: PartialRequest,
    request: CoapRequest,
    block: Block,
    confirmable: boolean,
    now: Instant
  ): BlockOutcome {
    const { options, body } = before
    const expiresAt = after(now, this.#timeout)
    const acknowledged = this.#acknowledge(block)
    if (block.more) {
      this.#partial.keep(key, { options, body, complete: false, expiresAt })
      // RFC 7959 §2.3: with the M bit, so that the client knows that nothing has been done yet, and no Block2.
      const echo = blockOption(OptionNumber.block1, acknowledged)
      return {
        kind: 'answer',
        response: { code: Code.continue, options: [echo], payload: new Uint8Array(0) }
      }
    }
    if (confirmable || block.number === 0) this.#partial.drop(key)
    else this.#partial.keep(key, { options, body, complete: true, expiresAt })
    const whole = {
      method: request.method,
      options: wholeOptions(options, request.options),
      payload: body.join()
    }
    return { kind: 'whole', request: whole, acknowledged }
  }

  /** RFC 7959 §2.3: the same number and M bit, with the block size that we prefer where it is smaller. */
  #acknowledge(block: Block): Block {
    const preferred = receivingExponent(this.#options.preferredSize, this.#carrier)
    return { ...block, sizeExponent: Math.min(block.sizeExponent, preferred) }
  }
}

/** Those of block 0, and Observe and Block2 of the last: they are about the answer (RFC 7959 §2.7, §3.3). */
function wholeOptions(first: readonly CoapOption[], last: readonly CoapOption[]): readonly CoapOption[] {
  const options = first.filter(
    ({ number }) =>
      number !== OptionNumber.block1 && number !== OptionNumber.size1 && !isAboutTheAnswer(number)
  )
  return [...options, ...last.filter(({ number }) => isAboutTheAnswer(number))].toSorted(
    (a, b) => a.number - b.number
  )
}

function isAboutTheAnswer(number: number): boolean {
  return number === OptionNumber.observe || number === OptionNumber.block2 || number === OptionNumber.size2
}

/** RFC 7959 §2.3: blocks of different formats are never put together. */
function haveSameFormat(first: readonly CoapOption[], next: readonly CoapOption[]): boolean {
  return readUint(first, OptionNumber.contentFormat) === readUint(next, OptionNumber.contentFormat)
}

function answer(code: number, diagnostic: string): BlockOutcome {
  return { kind: 'answer', response: diagnosed(code, diagnostic) }
}

export function diagnosed(code: number, diagnostic: string): CoapResponse {
  return { code, options: [], payload: encodeUtf8(diagnostic) }
}
