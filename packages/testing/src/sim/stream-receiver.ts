import type { Segment } from './stream-segment.ts'

/** Segments that came too early and are kept; beyond, they are as good as lost. */
const mostEarly = 256

/** One direction of a TCP connection at its destination: puts the segments in order. */
export class StreamReceiver {
  readonly #early = new Map<number, Segment>()
  #next = 0
  #hasEnded = false

  /** All bytes before this one have come. */
  get acknowledged(): number {
    return this.#next
  }

  /** Whether everything has come. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** @returns what is in order now. */
  receive(segment: Segment): Uint8Array[] {
    const pieces: Uint8Array[] = []
    if (segment.sequence > this.#next) {
      if (this.#early.size < mostEarly) this.#early.set(segment.sequence, segment)
      return pieces
    }
    for (let next: Segment | undefined = segment; next !== undefined; next = this.#early.get(this.#next)) {
      this.#early.delete(next.sequence)
      if (this.#hasEnded || next.sequence !== this.#next) break
      if (next.payload.length > 0) pieces.push(next.payload)
      this.#next += next.payload.length + (next.fin ? 1 : 0)
      this.#hasEnded = next.fin
      if (next.payload.length === 0 && !next.fin) break
    }
    return pieces
  }
}
