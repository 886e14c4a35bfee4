import { DecodeError, equalBytes } from '@breakwater/core'
import type { CoapOption } from '../message.ts'
import { findOption, readUint } from '../option-value.ts'
import { OptionNumber } from '../option.ts'
import type { CoapResponse } from '../session.ts'
import { BERT_EXPONENT, type Block, blockBytes, blockOffset } from './block-option.ts'
import { Body, hasFittingLength } from './body.ts'

/** What a block makes of the body: more is needed, it is whole, it is another version, or the peer made a mistake. */
export type AssemblyStep =
  | { readonly kind: 'continue' }
  | { readonly kind: 'whole'; readonly response: CoapResponse }
  | { readonly kind: 'changed' }
  | { readonly kind: 'fault'; readonly error: DecodeError }

/** One response that comes block by block (RFC 7959 §2.4). */
export class ResponseAssembly {
  readonly #maximumBodyBytes: number
  readonly #acceptsBert: boolean
  readonly #body = new Body()
  #first: CoapResponse | undefined
  #sizeExponent = BERT_EXPONENT

  constructor(maximumBodyBytes: number, acceptsBert: boolean) {
    this.#maximumBodyBytes = maximumBodyBytes
    this.#acceptsBert = acceptsBert
  }

  /** The ETag of the version that comes. */
  get entityTag(): CoapOption | undefined {
    return this.#first && findOption(this.#first.options, OptionNumber.etag)
  }

  /** The next block to ask for, in blocks of at most that exponent (RFC 7959 §2.4: what the peer used, or less). */
  next(sizeExponent: number): Block {
    const exponent = Math.min(sizeExponent, this.#sizeExponent)
    return { number: this.#body.length / blockBytes(exponent), more: false, sizeExponent: exponent }
  }

  add(response: CoapResponse, block: Block): AssemblyStep {
    if (this.#first !== undefined && !isSameVersion(this.#first, response)) return { kind: 'changed' }
    const error = this.#faultOf(response, block)
    if (error !== undefined) return { kind: 'fault', error }
    this.#first ??= response
    this.#sizeExponent = Math.min(this.#sizeExponent, block.sizeExponent)
    this.#body.append(response.payload)
    if (block.more) return { kind: 'continue' }
    const { code, options } = this.#first
    return { kind: 'whole', response: { code, options: withoutBlocks(options), payload: this.#body.join() } }
  }

  #faultOf(response: CoapResponse, block: Block): DecodeError | undefined {
    const { payload, options } = response
    if (block.sizeExponent === BERT_EXPONENT && !this.#acceptsBert)
      return new DecodeError('COAP_BLOCK_SIZE_RESERVED', 'a response with SZX 7')
    if (blockOffset(block) !== this.#body.length)
      return new DecodeError('COAP_BLOCK_UNEXPECTED', `block ${block.number} does not continue the body`)
    if (!hasFittingLength(block, payload.length))
      return new DecodeError('COAP_BLOCK_LENGTH_WRONG', `block ${block.number} has ${payload.length} bytes`)
    const announced = readUint(options, OptionNumber.size2) ?? 0
    if (Math.max(announced, this.#body.length + payload.length) > this.#maximumBodyBytes)
      return new DecodeError('COAP_BODY_TOO_LONG', `a response of more than ${this.#maximumBodyBytes} bytes`)
    // RFC 7959 §2.3: the format is that of the whole body.
    if (this.#first !== undefined && formatOf(this.#first) !== formatOf(response))
      return new DecodeError('COAP_BLOCK_UNEXPECTED', 'a block of another Content-Format')
    return undefined
  }
}

function formatOf(response: CoapResponse): number | undefined {
  return readUint(response.options, OptionNumber.contentFormat)
}

/** RFC 7959 §2.4: compares ETag options; a block without one, or with another code, belongs to nothing that has one. */
function isSameVersion(first: CoapResponse, next: CoapResponse): boolean {
  const before = findOption(first.options, OptionNumber.etag)
  const now = findOption(next.options, OptionNumber.etag)
  if (first.code !== next.code) return false
  if (before === undefined || now === undefined) return before === now
  return equalBytes(before.value, now.value)
}

/** Without what only said how the body came. */
export function withoutBlocks(options: readonly CoapOption[]): readonly CoapOption[] {
  return options.filter(
    ({ number }) =>
      number !== OptionNumber.block1 && number !== OptionNumber.block2 && number !== OptionNumber.size2
  )
}
