import type { BlockwiseOptions } from '@breakwater/coap'

/**
 * Longest body that is put together from blocks: some hundred mitigations, and within what the decoder of the model takes,
 * which is 16,384 items of 3 bytes or more. RFC 9132 sets no limit.
 */
export const MAXIMUM_BODY_BYTES = 49_152

/**
 * A block of this size, its options and the overhead of DTLS fit one datagram where the path MTU is unknown (RFC 9132 §7.3;
 * RFC 7252 §4.6). On streams it allows for BERT (RFC 8323 §6).
 */
const BLOCK_BYTES = 1024

/** Block-wise transfer of an agent (RFC 7959), both ways. */
export const AGENT_BLOCKWISE: BlockwiseOptions = {
  maximumBodyBytes: MAXIMUM_BODY_BYTES,
  preferredSize: BLOCK_BYTES,
  // RFC 9132 §4.4.2, MUST.
  repeatsEntityTag: true,
  // Each may hold the longest body, for every session; a peer has one resource to ask for at a time.
  maxTransfers: 2
}
