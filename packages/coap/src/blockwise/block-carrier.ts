import { InternalError } from '@breakwater/core'
import { BERT_EXPONENT, sizeExponentWithin } from './block-option.ts'

/** What the caller of a session wants of block-wise transfer (RFC 7959). */
export interface BlockwiseOptions {
  /** Bodies that come and are longer are refused: with 4.13, or by failing the request. 1 … 2^24 bytes. */
  readonly maximumBodyBytes: number
  /** Blocks that we propose and send are at most so long: 16, 32, 64, 128, 256, 512 or 1024 bytes. */
  readonly preferredSize: number
  /** Bodies of each direction that are kept for the peer at one time; the oldest make room. Default 4. */
  readonly maxTransfers?: number
  /**
   * Whether requests for further blocks of a response carry its ETag, as RFC 9132 §4.4.2 wants it. To a server that takes
   * it for the question whether this version is still valid (RFC 7252 §5.10.6.2) it says something else. Default false.
   */
  readonly repeatsEntityTag?: boolean
  /** How long a transfer may stand still before it is forgotten. Default EXCHANGE_LIFETIME (RFC 7959 §2.4, §2.5). */
  readonly timeoutSeconds?: number
}

/** What blocks travel in: datagrams, or a stream whose peer says how long a message may be (RFC 8323 §5.3). */
export interface BlockCarrier {
  /** Whether SZX 7 may come from the peer. */
  readonly acceptsBert: boolean
  /** Bytes of payload of a BERT message to the peer, a multiple of 1024; 0: it does not take BERT. */
  readonly bertBytes: number
  /** Bytes of payload that may go to the peer in one message without any Block option. */
  readonly wholeBytes: number
}

/** Block numbers of 20 bits reach so far with the smallest blocks. */
const LONGEST_BODY = 2 ** 24

/**
 * The caller's wishes, checked.
 * @throws InternalError `COAP_BLOCKWISE_INVALID`.
 */
export function checkBlockwise(options: BlockwiseOptions): void {
  const { maximumBodyBytes, preferredSize, maxTransfers = 4, timeoutSeconds = 1 } = options
  demand(isInteger(maximumBodyBytes, 1, LONGEST_BODY), 'maximumBodyBytes', maximumBodyBytes)
  demand([16, 32, 64, 128, 256, 512, 1024].includes(preferredSize), 'preferredSize', preferredSize)
  demand(isInteger(maxTransfers, 1, 1024), 'maxTransfers', maxTransfers)
  demand(timeoutSeconds > 0 && Number.isFinite(timeoutSeconds), 'timeoutSeconds', timeoutSeconds)
}

/** The largest SZX for what we send: BERT where the peer takes it and nothing smaller is preferred. */
export function sendingExponent(preferredSize: number, carrier: BlockCarrier): number {
  if (preferredSize === 1024 && carrier.bertBytes > 0) return BERT_EXPONENT
  return sizeExponentWithin(Math.min(preferredSize, carrier.wholeBytes))
}

/** The largest SZX for what we ask the peer to send. */
export function receivingExponent(preferredSize: number, carrier: BlockCarrier): number {
  return preferredSize === 1024 && carrier.acceptsBert ? BERT_EXPONENT : sizeExponentWithin(preferredSize)
}

function isInteger(value: number, minimum: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= minimum && value <= maximum
}

function demand(holds: boolean, name: string, value: number): void {
  if (!holds) throw new InternalError('COAP_BLOCKWISE_INVALID', `${name} ${value}`)
}
