import { Milliseconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'

/** The weather on one direction of a link. Chances are 0 … 1 and drawn for each datagram by itself. */
export interface LinkConditions {
  /** How long every datagram is under way, at least. */
  readonly latency: Duration
  /** Up to so much longer, evenly spread. Jitter alone keeps the order. */
  readonly jitter: Duration
  /** Chance of being lost. */
  readonly loss: number
  /** Chance of arriving twice. */
  readonly duplicate: number
  /** Chance of being held back by `reorderDelay`, so that later datagrams overtake it. */
  readonly reorder: number
  readonly reorderDelay: Duration
  /** Longer datagrams (their UDP or TCP payload, in bytes) vanish without a word, as where ICMP is filtered. */
  readonly longestDatagram: number
  /** Nothing gets through. */
  readonly cut: boolean
}

/** A clear day: nothing is lost, and a round trip over two links takes 20 ms. */
export const clearConditions: LinkConditions = {
  latency: Milliseconds(5),
  jitter: Milliseconds(0),
  loss: 0,
  duplicate: 0,
  reorder: 0,
  reorderDelay: Milliseconds(50),
  longestDatagram: Infinity,
  cut: false
}
