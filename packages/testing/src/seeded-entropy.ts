import type { Entropy } from '@breakwater/core'

/**
 * Chance that is the same in every run: xoshiro128** (Blackman and Vigna), its state filled by splitmix32. Not for
 * keys: whoever sees a few outputs knows all others.
 * @param seed any integer; only its lowest 32 bits count.
 */
export function seededEntropy(seed: number): Entropy {
  const fill = splitMix32(seed)
  const state = Uint32Array.of(fill(), fill(), fill(), fill())
  const uint32 = (): number => nextOf(state)
  return { uint32, bytes: (count) => bytesFrom(uint32, count) }
}

/**
 * A seed for one named part of a world, so that parts draw from streams of their own and a change in one of them does
 * not shift the chances of the others.
 */
export function derivedSeed(seed: number, name: string): number {
  let hash = splitMix32(seed)()
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x0100_0193) >>> 0
    hash = splitMix32(hash)()
  }
  return hash
}

function nextOf(state: Uint32Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = state
  const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0
  const mixedC = c ^ a
  const mixedD = d ^ b
  state[0] = a ^ mixedD
  state[1] = b ^ mixedC
  state[2] = mixedC ^ (b << 9)
  state[3] = rotateLeft(mixedD, 11)
  return result
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function splitMix32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e37_79b9) >>> 0
    let word = state
    word = Math.imul(word ^ (word >>> 16), 0x21f0_aaad)
    word = Math.imul(word ^ (word >>> 15), 0x735a_2d97)
    return (word ^ (word >>> 15)) >>> 0
  }
}

function bytesFrom(uint32: () => number, count: number): Uint8Array {
  const bytes = new Uint8Array(count)
  let word = 0
  for (let index = 0; index < count; index++) {
    word = index % 4 === 0 ? uint32() : word >>> 8
    bytes[index] = word & 0xff
  }
  return bytes
}
