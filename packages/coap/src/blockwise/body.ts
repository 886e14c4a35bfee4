import { concatBytes } from '@breakwater/core'
import { BERT_EXPONENT, type Block, blockBytes } from './block-option.ts'

/** A body that grows block by block, in order. */
export class Body {
  readonly #parts: Uint8Array[] = []
  #length = 0
  #lastLength = 0

  /** In bytes. */
  get length(): number {
    return this.#length
  }

  append(part: Uint8Array): void {
    this.#parts.push(part)
    this.#length += part.length
    this.#lastLength = part.length
  }

  /** Whether this is once more what was appended last. */
  endsWith(offset: number, length: number): boolean {
    return length === this.#lastLength && offset + length === this.#length && this.#parts.length > 0
  }

  join(): Uint8Array {
    return concatBytes(this.#parts)
  }
}

/**
 * Whether a block that says that more follow is as long as its SZX says (RFC 7959 §2.3); BERT: a multiple of 1024
 * bytes (RFC 8323 §6). The last block may have any length up to that.
 */
export function hasFittingLength(block: Block, payloadBytes: number): boolean {
  const unit = blockBytes(block.sizeExponent)
  if (block.sizeExponent === BERT_EXPONENT)
    return !block.more || (payloadBytes > 0 && payloadBytes % unit === 0)
  return block.more ? payloadBytes === unit : payloadBytes <= unit
}
