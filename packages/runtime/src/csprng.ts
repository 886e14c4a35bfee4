import { randomFillSync } from 'node:crypto'
import type { Entropy } from '@breakwater/core'

/** One call into OpenSSL costs about as much for 4 bytes as for 4,096: numbers are drawn in advance. */
const pooledNumbers = 1024

/** Chance from the operating system's generator, by way of OpenSSL. Never blocks after boot. */
export function systemEntropy(): Entropy {
  const pool = new Uint32Array(pooledNumbers)
  let next = pooledNumbers
  return {
    bytes: (count) => randomFillSync(new Uint8Array(count)),
    uint32() {
      if (next === pooledNumbers) {
        randomFillSync(pool)
        next = 0
      }
      const value = pool[next] ?? 0
      // A number that was handed out must not be found in a memory dump again.
      pool[next++] = 0
      return value
    }
  }
}
