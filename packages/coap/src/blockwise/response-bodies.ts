import { after, type Duration, type Instant, InternalError } from '@breakwater/core'
import { Code } from '../code.ts'
import { Method } from '../method.ts'
import { findOption, uintOption } from '../option-value.ts'
import { OptionNumber } from '../option.ts'
import type { CoapResponse } from '../session.ts'
import { type BlockCarrier, type BlockwiseOptions, sendingExponent } from './block-carrier.ts'
import {
  BERT_EXPONENT,
  type Block,
  blockBytes,
  blockOffset,
  blockOption,
  MAXIMUM_BLOCK_NUMBER
} from './block-option.ts'
import { entityTag } from './entity-tag.ts'
import { TransferTable } from './transfer-table.ts'

interface KeptResponse {
  readonly response: CoapResponse
  /** Up to where the peer has been served, in bytes. */
  served: number
  expiresAt: Instant
}

/** What answers a request for a further block: a slice, a refusal, or the application, as the body is not kept. */
export type SliceOutcome =
  | { readonly kind: 'answer'; readonly response: CoapResponse }
  | { readonly kind: 'out-of-order' }
  | { readonly kind: 'unknown' }

/** Response bodies that leave block by block (RFC 7959 §2.4): kept, so that all blocks are of one version. */
export class ResponseBodies {
  readonly #options: BlockwiseOptions
  readonly #carrier: BlockCarrier
  readonly #timeout: Duration
  readonly #kept: TransferTable<KeptResponse>

  constructor(options: BlockwiseOptions, carrier: BlockCarrier, timeout: Duration) {
    this.#options = options
    this.#carrier = carrier
    this.#timeout = timeout
    this.#kept = new TransferTable(options.maxTransfers ?? 4)
  }

  get size(): number {
    return this.#kept.size
  }

  expire(now: Instant): void {
    this.#kept.expire(now)
  }

  /** Whether a whole body can leave as it is: it is short enough, and the peer asked for no block size. */
  isWhole(response: CoapResponse, asked: Block | undefined): boolean {
    return asked === undefined && response.payload.length <= this.#carrier.wholeBytes
  }

  /** A body of another version is of no use to anybody. */
  forget(key: string): void {
    this.#kept.drop(key)
  }

  /**
   * The block that answers a request, cut from the whole body.
   * @throws InternalError `COAP_BODY_UNSENDABLE` when blocks of this size cannot be numbered.
   */
  cut(key: string, whole: CoapResponse, asked: Block | undefined, now: Instant): CoapResponse {
    const sizeExponent = this.#exponentFor(asked)
    if (whole.payload.length > blockBytes(sizeExponent) * (MAXIMUM_BLOCK_NUMBER + 1))
      throw new InternalError('COAP_BODY_UNSENDABLE', `a body of ${whole.payload.length} bytes`)
    const response = withEntityTag(whole)
    const offset = asked === undefined ? 0 : blockOffset(asked)
    const slice = this.#slice(response, offset, sizeExponent)
    if (slice === undefined) return beyondTheEnd()
    const served = offset + slice.payload.length
    if (served < whole.payload.length || offset > 0)
      this.#kept.keep(key, { response, served, expiresAt: after(now, this.#timeout) })
    else this.#kept.drop(key)
    return slice
  }

  /** A block behind the first, from what is kept. */
  further(key: string, method: number, asked: Block, now: Instant): SliceOutcome {
    const kept = this.#kept.find(key, now)
    if (kept === undefined) return { kind: 'unknown' }
    const offset = blockOffset(asked)
    // RFC 7959 §2.7: what answers a body has no state that could be asked for again, so there is no jumping ahead.
    if (method !== Method.get && offset > kept.served) return { kind: 'out-of-order' }
    const slice = this.#slice(kept.response, offset, this.#exponentFor(asked))
    if (slice === undefined) return { kind: 'answer', response: beyondTheEnd() }
    kept.served = Math.max(kept.served, offset + slice.payload.length)
    kept.expiresAt = after(now, this.#timeout)
    this.#kept.keep(key, kept)
    return { kind: 'answer', response: slice }
  }

  /** RFC 7959 §2.4: the size that was asked for or a smaller one. */
  #exponentFor(asked: Block | undefined): number {
    const own = sendingExponent(this.#options.preferredSize, this.#carrier)
    return asked === undefined ? own : Math.min(own, asked.sizeExponent)
  }

  #slice(response: CoapResponse, offset: number, sizeExponent: number): CoapResponse | undefined {
    const { code, options, payload } = response
    if (offset > 0 && offset >= payload.length) return undefined
    const length = sizeExponent === BERT_EXPONENT ? this.#carrier.bertBytes : blockBytes(sizeExponent)
    const end = Math.min(payload.length, offset + length)
    const more = end < payload.length
    const number = offset / blockBytes(sizeExponent)
    const block = blockOption(OptionNumber.block2, { number, more, sizeExponent })
    // RFC 7959 §4: how much there is, with the first of several blocks.
    const size = number === 0 && more ? [uintOption(OptionNumber.size2, payload.length)] : []
    return { code, options: [...options, block, ...size], payload: payload.subarray(offset, end) }
  }
}

function beyondTheEnd(): CoapResponse {
  return { code: Code.badRequest, options: [], payload: new Uint8Array(0) }
}

/** RFC 7959 §2.4: with an ETag the client sees that the blocks are of one version. */
function withEntityTag(response: CoapResponse): CoapResponse {
  const { code, options, payload } = response
  if (code !== Code.content || findOption(options, OptionNumber.etag) !== undefined) return response
  const tag = { number: OptionNumber.etag, value: entityTag(payload) }
  return { code, options: [...options, tag], payload }
}
