/**
 * What a decoder spends on one message at most. RFC 9132 sets no limits; these leave a mitigation request of thousands
 * of targets room and keep a hostile one cheap.
 */

/** Bytes of one CBOR message. Larger ones cannot arrive over CoAP in one datagram. */
export const MAXIMUM_MESSAGE_BYTES = 65_535

/**
 * UTF-16 units of one JSON message: more than any message within the other limits takes, even one of texts that JSON
 * must escape six for one.
 */
export const MAXIMUM_JSON_LENGTH = 0x10_0000

/** Arrays, maps (objects) and tags inside one another. The deepest DOTS signal message has 7. */
export const MAXIMUM_DEPTH = 16

/** Data items of one message, keys (names of members) included. */
export const MAXIMUM_ITEMS = 16_384
