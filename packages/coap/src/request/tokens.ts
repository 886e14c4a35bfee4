import type { Entropy } from '@breakwater/core'

/** Bytes of our tokens: 32 bits of chance, as RFC 7252 §5.3.1 wants where nothing else guards against spoofing. */
const TOKEN_BYTES = 4

/** A token of ours as a number; the wire has it in network order. */
export type Token = number & { readonly __brand: 'Token' }

/** A token that `isTaken` does not know: unique while in use (RFC 7252 §5.3.1). */
export function newToken(entropy: Entropy, isTaken: (token: Token) => boolean): Token {
  let token = entropy.uint32()
  while (isTaken(token as Token)) token = (token + 1) >>> 0
  return token as Token
}

export function tokenBytes(token: Token): Uint8Array {
  return Uint8Array.of(token >>> 24, token >> 16, token >> 8, token)
}

/** The token that these bytes may be of ours; undefined when no token of ours looks so. */
export function readToken(bytes: Uint8Array): Token | undefined {
  if (bytes.length !== TOKEN_BYTES) return undefined
  const [a = 0, b = 0, c = 0, d = 0] = bytes
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) as Token
}
