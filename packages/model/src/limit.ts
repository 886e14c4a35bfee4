/**
 * What a decoder spends on one message at most. RFC 9132 sets no limits; these leave a mitigation request of thousands
 * of targets room and keep a hostile one cheap.
 */

/** Bytes of one message. Larger ones cannot arrive over CoAP in one datagram. */
export const MAXIMUM_MESSAGE_BYTES = 65_535

/** Arrays, maps and tags inside one another. The deepest DOTS signal message has 7. */
export const MAXIMUM_DEPTH = 16

/** Data items of one message, keys included. */
export const MAXIMUM_ITEMS = 16_384
