/** The registry of CBOR keys of DOTS (RFC 9132 §10.6.1.1). */

/** Smallest and greatest key. */
export const FIRST_KEY = 1
export const LAST_KEY = 65_535

/**
 * Whether an agent that does not know `key` must refuse the message; else it ignores the member (RFC 9132 §6).
 * @see RFC 9132 §10.6.1.1, Table 8: 1–127 and 256–16383
 */
export function isComprehensionRequired(key: number): boolean {
  return (key >= FIRST_KEY && key <= 127) || (key >= 256 && key <= 16_383)
}
