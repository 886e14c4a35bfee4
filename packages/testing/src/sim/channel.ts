import { after, fraction, Milliseconds } from '@breakwater/core'
import type { Duration, Entropy, Instant } from '@breakwater/core'
import type { LinkConditions } from './conditions.ts'
import type { DropReason } from './trace.ts'

/** What one direction of a link did so far. */
export interface ChannelCounts {
  /** Datagrams that were put in. */
  readonly entered: number
  readonly bytesEntered: number
  readonly lost: number
  readonly tooLong: number
  readonly cut: number
  readonly filtered: number
  readonly droppedOnRequest: number
  readonly duplicated: number
  readonly reordered: number
}

/** What the channel does with one datagram: when each copy of it comes out, or why none does. */
export type Passage =
  | { readonly kind: 'arrives'; readonly at: readonly Instant[] }
  | { readonly kind: 'dropped'; readonly reason: DropReason }

type Tally = { -readonly [Name in keyof ChannelCounts]: number }

const noCounts: ChannelCounts = {
  entered: 0,
  bytesEntered: 0,
  lost: 0,
  tooLong: 0,
  cut: 0,
  filtered: 0,
  droppedOnRequest: 0,
  duplicated: 0,
  reordered: 0
}

/** One direction of a link: decides by its conditions and its own stream of chance. */
export class Channel {
  readonly #entropy: Entropy
  #conditions: LinkConditions
  readonly #counts: Tally = { ...noCounts }
  /** When the last datagram in order comes out: a later one must not overtake it. */
  #lastArrival: Instant | undefined
  #requestedDrops = { skipping: 0, count: 0 }

  constructor(conditions: LinkConditions, entropy: Entropy) {
    this.#conditions = conditions
    this.#entropy = entropy
  }

  get conditions(): LinkConditions {
    return this.#conditions
  }

  get counts(): ChannelCounts {
    return { ...this.#counts }
  }

  /** Changes some conditions from now on; what is under way already arrives as it would have. */
  change(conditions: Partial<LinkConditions>): void {
    this.#conditions = { ...this.#conditions, ...conditions }
  }

  /** Loses the next `count` datagrams, after letting `skipping` pass. Replaces an earlier request. */
  dropNext(count: number, skipping = 0): void {
    this.#requestedDrops = { skipping, count }
  }

  /** Counts a datagram that the ingress filter at this channel's mouth took out. */
  noteFiltered(): void {
    this.#counts.filtered++
  }

  pass(byteLength: number, now: Instant): Passage {
    this.#counts.entered++
    this.#counts.bytesEntered += byteLength
    // Always the same number of draws: changing one condition must not shift the chances of the datagrams behind.
    const draw = {
      loss: fraction(this.#entropy),
      duplicate: fraction(this.#entropy),
      reorder: fraction(this.#entropy),
      jitter: fraction(this.#entropy),
      copyJitter: fraction(this.#entropy)
    }
    const { cut, loss, duplicate, reorder, longestDatagram } = this.#conditions
    if (cut) return this.#drop('cut', 'cut')
    if (this.#isRequestedDrop()) return this.#drop('on-request', 'droppedOnRequest')
    if (byteLength > longestDatagram) return this.#drop('too-long', 'tooLong')
    if (draw.loss < loss) return this.#drop('lost', 'lost')
    const at = [this.#arrival(now, draw.jitter, draw.reorder < reorder)]
    if (draw.duplicate < duplicate) {
      this.#counts.duplicated++
      at.push(this.#arrival(now, draw.copyJitter, false))
    }
    return { kind: 'arrives', at }
  }

  #arrival(now: Instant, jitterDraw: number, heldBack: boolean): Instant {
    const { latency, jitter, reorderDelay } = this.#conditions
    const travel: Duration = Milliseconds(latency + jitter * jitterDraw)
    if (heldBack) {
      this.#counts.reordered++
      return after(after(now, travel), reorderDelay)
    }
    const earliest = after(now, travel)
    const inOrder =
      this.#lastArrival !== undefined && this.#lastArrival > earliest ? this.#lastArrival : earliest
    this.#lastArrival = inOrder
    return inOrder
  }

  #isRequestedDrop(): boolean {
    const { skipping, count } = this.#requestedDrops
    if (skipping > 0) this.#requestedDrops = { skipping: skipping - 1, count }
    else if (count > 0) this.#requestedDrops = { skipping, count: count - 1 }
    return skipping === 0 && count > 0
  }

  #drop(reason: DropReason, counter: keyof ChannelCounts): Passage {
    this.#counts[counter]++
    return { kind: 'dropped', reason }
  }
}
