import type { PeerId } from './secure-endpoint.ts'

/**
 * Where the ids given in TypeScript begin. A native endpoint counts its own from 1, in C++, where it cannot ask: it would
 * need ten years at three million sessions a second to come this far. Exact as a number (below 2^53), and easy to read.
 */
const first = 1_000_000_000_000_000

let last = first

/**
 * A new name for a peer: unique among all endpoints of the process, of whatever kind, and never given again. Every
 * implementation of `SecureEndpoint` in TypeScript takes its ids from here.
 */
export function newPeerId(): PeerId {
  return ++last as PeerId
}
