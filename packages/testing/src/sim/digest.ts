import { derivedSeed } from '../seeded-entropy.ts'

/** 64 hexadecimal digits that stand for a SHA-256 in the simulation: equal texts only, but nothing is hard about it. */
export function simulatedDigest(text: string): string {
  let digits = ''
  for (let word = 0; word < 8; word++) digits += derivedSeed(word, text).toString(16).padStart(8, '0')
  return digits
}
