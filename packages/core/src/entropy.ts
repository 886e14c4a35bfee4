/** Chance, given from outside: a CSPRNG in production, a seeded generator in tests and simulations. */
export interface Entropy {
  /** A fresh array of `count` random bytes. */
  bytes(count: number): Uint8Array
  /** A uniform integer of 0 … 2^32 − 1. */
  uint32(): number
}

/** A uniform number of [0, 1). */
export function fraction(entropy: Entropy): number {
  return entropy.uint32() / 0x1_0000_0000
}

/** A uniform integer of 0 … bound − 1, for a bound of at most 2^32. */
export function integerBelow(entropy: Entropy, bound: number): number {
  return Math.floor(fraction(entropy) * bound)
}
