/** Tokens have up to 8 bytes (RFC 7252 §3). */
const HALF = 4

/** A token as numbers, for who keeps very many: an array would be two more objects for each. */
export interface PackedToken {
  readonly tokenLength: number
  /** Its first four bytes, or as many as it has, the first one in the highest place. */
  readonly tokenHead: number
  /** The others likewise. */
  readonly tokenTail: number
}

export function packToken(token: Uint8Array): PackedToken {
  return { tokenLength: token.length, tokenHead: packed(token, 0), tokenTail: packed(token, HALF) }
}

export function writeToken(
  { tokenLength, tokenHead, tokenTail }: PackedToken,
  into: Uint8Array,
  at: number
): void {
  for (let i = 0; i < tokenLength; i++)
    into[at + i] = i < HALF ? tokenHead >> (24 - 8 * i) : tokenTail >> (24 - 8 * (i - HALF))
}

export function unpackToken(token: PackedToken): Uint8Array {
  const bytes = new Uint8Array(token.tokenLength)
  writeToken(token, bytes, 0)
  return bytes
}

function packed(token: Uint8Array, from: number): number {
  let word = 0
  for (let i = 0; i < HALF; i++) word = (word << 8) | (token[from + i] ?? 0)
  return word
}
