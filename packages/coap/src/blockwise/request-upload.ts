import { InternalError } from '@breakwater/core'
import { Code, isSuccess } from '../code.ts'
import type { CoapOption } from '../message.ts'
import { uintOption } from '../option-value.ts'
import { OptionNumber } from '../option.ts'
import type { CoapRequest, CoapResponse } from '../session.ts'
import type { BlockCarrier } from './block-carrier.ts'
import {
  BERT_EXPONENT,
  type Block,
  blockBytes,
  blockOption,
  MAXIMUM_BLOCK_NUMBER,
  readBlock
} from './block-option.ts'

/** What the answer to a block means: the next one may go, the transfer begins anew, it is over, or the peer is wrong. */
export type UploadStep = 'next' | 'again' | 'over' | 'fault'

/** One request body that leaves block by block, in order (RFC 7959 §2.5). */
export class RequestUpload {
  readonly #request: CoapRequest
  readonly #carrier: BlockCarrier
  #sizeExponent: number
  #offset = 0
  /** Bytes of the block that waits for its answer. */
  #inFlight = 0

  constructor(request: CoapRequest, carrier: BlockCarrier, sizeExponent: number) {
    this.#request = request
    this.#carrier = carrier
    this.#sizeExponent = sizeExponent
    if (request.payload.length > blockBytes(sizeExponent) * (MAXIMUM_BLOCK_NUMBER + 1))
      throw new InternalError('COAP_BODY_UNSENDABLE', `a body of ${request.payload.length} bytes`)
  }

  /** Whether the block that waits for its answer is the last. */
  get isLast(): boolean {
    return this.#offset + this.#inFlight === this.#request.payload.length
  }

  /** The request for the present block. */
  compose(): CoapRequest {
    const { method, payload } = this.#request
    const unit = blockBytes(this.#sizeExponent)
    const size = this.#sizeExponent === BERT_EXPONENT ? Math.max(unit, this.#carrier.bertBytes) : unit
    this.#inFlight = Math.min(size, payload.length - this.#offset)
    const block = { number: this.#offset / unit, more: !this.isLast, sizeExponent: this.#sizeExponent }
    return {
      method,
      options: this.#optionsFor(block),
      payload: payload.subarray(this.#offset, this.#offset + this.#inFlight)
    }
  }

  #optionsFor(block: Block): CoapOption[] {
    const options = this.#request.options.filter(({ number }) => belongsTo(block, number))
    options.push(blockOption(OptionNumber.block1, block))
    // RFC 7959 §4: how much there is, with the first of several blocks.
    if (block.number === 0 && block.more)
      options.push(uintOption(OptionNumber.size1, this.#request.payload.length))
    return options
  }

  /** Takes the answer to the present block. */
  answered(response: CoapResponse): UploadStep {
    const echo = readBlock(response.options, OptionNumber.block1)
    if (isSmallerSizeHint(response, this.#sizeExponent, this.#inFlight)) {
      this.#offset = 0
      this.#sizeExponent = echo?.sizeExponent ?? 0
      return 'again'
    }
    if (!isSuccess(response.code)) return 'over'
    if (this.isLast) return response.code === Code.continue ? 'fault' : 'over'
    if (echo === undefined || echo.number !== this.#offset / blockBytes(this.#sizeExponent)) return 'fault'
    this.#offset += this.#inFlight
    // RFC 7959 §2.3: what the server prefers, where it is smaller; the number then counts in that size (§3.2).
    this.#sizeExponent = Math.min(this.#sizeExponent, echo.sizeExponent)
    return 'next'
  }
}

/** RFC 7959 §2.9.3: a 4.13 whose Block1 names a smaller size asks to try that one. */
export function isSmallerSizeHint(
  response: CoapResponse,
  sizeExponent: number,
  payloadBytes: number
): boolean {
  if (response.code !== Code.requestEntityTooLarge) return false
  const hint = readBlock(response.options, OptionNumber.block1)
  return (
    hint !== undefined && hint.sizeExponent < sizeExponent && blockBytes(hint.sizeExponent) < payloadBytes
  )
}

/** RFC 7959 §2.10: If-None-Match with block 0 only. What is about the answer goes with the last block (§3.3). */
function belongsTo(block: Block, optionNumber: number): boolean {
  if (optionNumber === OptionNumber.ifNoneMatch) return block.number === 0
  const isAboutTheAnswer =
    optionNumber === OptionNumber.observe ||
    optionNumber === OptionNumber.block2 ||
    optionNumber === OptionNumber.size2
  return !isAboutTheAnswer || !block.more
}
