/**
 * An entity-tag of 8 bytes made from the representation itself, where the application gives none: the same bytes have
 * the same tag in every session and after a restart (RFC 7959 §2.4). No protection against who builds collisions: the
 * representation is ours.
 */
export function entityTag(body: Uint8Array): Uint8Array {
  let a = 0x811c_9dc5 ^ body.length
  let b = 0x9e37_79b9
  for (const byte of body) {
    a = Math.imul(a ^ byte, 0x0100_0193)
    b = Math.imul(b ^ (byte + 0x7f), 0x85eb_ca6b)
    b ^= b >>> 13
  }
  return Uint8Array.of(a >>> 24, a >> 16, a >> 8, a, b >>> 24, b >> 16, b >> 8, b)
}
