/** Bytes of one message at most: what one DTLS record carries (RFC 9147 §4), far above the 1152 of RFC 7252 §4.6. */
export const MAXIMUM_MESSAGE_BYTES = 16_384

/** Options of one message at most; without it one datagram could stand for thousands of objects. */
export const MAXIMUM_OPTIONS = 64

/** RFC 7252 §12.2: option numbers have 16 bits. */
export const MAXIMUM_OPTION_NUMBER = 65_535

/** RFC 7252 §3: token lengths of 9 … 15 are reserved. */
export const MAXIMUM_TOKEN_BYTES = 8

/** RFC 7252 §3: the fixed part, before the token. */
export const HEADER_BYTES = 4

/** RFC 7252 §3: the byte between options and payload. */
export const PAYLOAD_MARKER = 0xff
