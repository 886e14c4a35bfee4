import { InternalError } from '@breakwater/core'
import type { CoapOption } from '../message.ts'
import { findOption, uintOption, uintValue } from '../option-value.ts'

/** A Block1 or Block2 option (RFC 7959 §2.2). */
export interface Block {
  /** NUM: 0 … 2^20 − 1, counted in blocks of this very size. */
  readonly number: number
  /** M: further blocks follow. */
  readonly more: boolean
  /** SZX: 0 … 6 for 16 … 1024 bytes; 7 is BERT on streams (RFC 8323 §6) and reserved on datagrams. */
  readonly sizeExponent: number
}

/** RFC 8323 §6: several blocks of 1024 bytes in one message. */
export const BERT_EXPONENT = 7

/** RFC 7959 §2.2: 20 bits. */
export const MAXIMUM_BLOCK_NUMBER = 0xf_ffff

/** The unit in which `number` counts, in bytes; 1024 for BERT. */
export function blockBytes(sizeExponent: number): number {
  return 1 << (Math.min(sizeExponent, 6) + 4)
}

/** Where the payload of a block begins in the body, in bytes. */
export function blockOffset(block: Block): number {
  return block.number * blockBytes(block.sizeExponent)
}

/** The SZX of the largest block that has at most `bytes` bytes, for 16 and more; never BERT. */
export function sizeExponentWithin(bytes: number): number {
  return Math.max(0, Math.min(6, Math.floor(Math.log2(bytes)) - 4))
}

/**
 * A Block1 or Block2 option.
 * @throws InternalError `COAP_OPTION_VALUE_INVALID` on a block that no option can tell.
 */
export function blockOption(optionNumber: number, block: Block): CoapOption {
  const { number, more, sizeExponent } = block
  if (!Number.isInteger(number) || number < 0 || number > MAXIMUM_BLOCK_NUMBER)
    throw new InternalError('COAP_OPTION_VALUE_INVALID', `${number} is no block number`)
  if (!Number.isInteger(sizeExponent) || sizeExponent < 0 || sizeExponent > BERT_EXPONENT)
    throw new InternalError('COAP_OPTION_VALUE_INVALID', `${sizeExponent} is no size exponent`)
  return uintOption(optionNumber, number * 16 + (more ? 8 : 0) + sizeExponent)
}

/** The first option of that number as a block; undefined when there is none, or one of more than 3 bytes. */
export function readBlock(options: readonly CoapOption[], optionNumber: number): Block | undefined {
  const option = findOption(options, optionNumber)
  if (option === undefined || option.value.length > 3) return undefined
  const value = uintValue(option.value)
  return { number: value >> 4, more: (value & 8) !== 0, sizeExponent: value & 7 }
}
