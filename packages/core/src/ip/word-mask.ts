/** A word whose first `bits` bits are set, as a signed number: none below 1, all above 31. */
export function wordMask(bits: number): number {
  // A shift by 32 is a shift by 0 in JavaScript, so neither end can be computed by shifting.
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits)
}
