import { after, between } from '@breakwater/core'
import type { Clock, Instant, ScheduledCall } from '@breakwater/core'
import { ByteQueue } from './byte-queue.ts'
import { longestPayload } from './stream-segment.ts'
import { RetransmissionTimeout } from './stream-timeout.ts'

/** A piece of the stream on its way. */
interface Flight {
  readonly sequence: number
  /** Number of the first byte behind it. */
  readonly end: number
  readonly payload: Uint8Array
  readonly fin: boolean
  readonly sentAt: Instant
  isRepeated: boolean
}

export interface StreamSenderEvents {
  transmit(sequence: number, payload: Uint8Array, fin: boolean): void
  /** There is room again. */
  drained(): void
  /** Nobody acknowledges. */
  givenUp(): void
}

/** Bytes that a connection takes before they are acknowledged. */
const bufferBytes = 256 * 1024

/** RFC 6928 §2. */
const initialWindow = 10 * longestPayload

/** So often one segment is repeated: with the timeouts doubling, for about a quarter of an hour. */
const mostRepetitions = 15

/**
 * One direction of a TCP connection at its source: what was not acknowledged in time is sent again (RFC 6298), the window
 * grows with acknowledgements and shrinks with losses (RFC 5681), three acknowledgements of the same byte repeat what
 * follows it at once.
 */
export class StreamSender {
  readonly timeout: RetransmissionTimeout = new RetransmissionTimeout()
  readonly #clock: Clock
  readonly #events: StreamSenderEvents
  readonly #unsent = new ByteQueue()
  #flights: Flight[] = []
  #isStarted = false
  #isEnding = false
  #hasSentFin = false
  #nextSequence = 0
  #acknowledged = 0
  #window = initialWindow
  #threshold = Infinity
  #duplicates = 0
  /** While it is not acknowledged, a loss counts as the same one. */
  #recoveryEnd = 0
  #repetitions = 0
  #timer: ScheduledCall | undefined

  constructor(clock: Clock, events: StreamSenderEvents) {
    this.#clock = clock
    this.#events = events
  }

  /** Bytes that `write` takes just now. */
  get room(): number {
    return Math.max(0, bufferBytes - this.#unsent.length - this.#inFlight)
  }

  /** Whether everything, its end included, has arrived. */
  get isDone(): boolean {
    return this.#hasSentFin && this.#flights.length === 0
  }

  /** The connection is open. */
  start(): void {
    this.#isStarted = true
    this.#sendWhatMay()
  }

  write(bytes: Uint8Array): void {
    this.#unsent.add(bytes)
    this.#sendWhatMay()
  }

  /** Nothing more comes after what was written. */
  end(): void {
    this.#isEnding = true
    this.#sendWhatMay()
  }

  /** The peer has all bytes before this one; `isBare`: it said nothing else. */
  acknowledge(upTo: number, isBare: boolean): void {
    if (upTo > this.#acknowledged) this.#advance(upTo)
    else if (upTo === this.#acknowledged && isBare && this.#flights.length > 0) this.#noteDuplicate()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#flights = []
  }

  get #inFlight(): number {
    return this.#nextSequence - this.#acknowledged
  }

  #advance(upTo: number): void {
    const now = this.#clock.now()
    const arrived = this.#flights.filter(({ end }) => end <= upTo)
    this.#flights = this.#flights.slice(arrived.length)
    const newest = arrived.at(-1)
    if (newest !== undefined && !newest.isRepeated) this.timeout.measured(between(newest.sentAt, now))
    else this.timeout.recover()
    const gained = upTo - this.#acknowledged
    this.#acknowledged = upTo
    this.#repetitions = 0
    this.#duplicates = 0
    this.#growWindow(gained)
    this.#arm()
    // RFC 6582 §3.2: what follows a repaired loss in the same window was lost, too.
    const [first] = this.#flights
    if (first !== undefined && upTo < this.#recoveryEnd) this.#repeat(first)
    this.#sendWhatMay()
    this.#events.drained()
  }

  #growWindow(gained: number): void {
    const slowStart = this.#window < this.#threshold
    this.#window += slowStart
      ? Math.min(gained, longestPayload)
      : (longestPayload * longestPayload) / this.#window
  }

  #noteDuplicate(): void {
    this.#duplicates++
    const [first] = this.#flights
    if (this.#duplicates !== 3 || first === undefined || this.#acknowledged < this.#recoveryEnd) return
    this.#shrinkWindow()
    this.#window = this.#threshold
    this.#repeat(first)
  }

  #shrinkWindow(): void {
    this.#threshold = Math.max(this.#inFlight / 2, 2 * longestPayload)
    this.#recoveryEnd = this.#nextSequence
  }

  #sendWhatMay(): void {
    if (!this.#isStarted || this.#hasSentFin) return
    while (this.#unsent.length > 0 && this.#inFlight < this.#window) {
      const payload = this.#unsent.take(longestPayload)
      this.#launch(payload, this.#isEnding && this.#unsent.length === 0)
    }
    if (this.#isEnding && this.#unsent.length === 0 && !this.#hasSentFin)
      this.#launch(new Uint8Array(0), true)
  }

  #launch(payload: Uint8Array, fin: boolean): void {
    const sequence = this.#nextSequence
    const end = sequence + payload.length + (fin ? 1 : 0)
    this.#nextSequence = end
    this.#hasSentFin = fin
    this.#flights.push({ sequence, end, payload, fin, sentAt: this.#clock.now(), isRepeated: false })
    if (this.#timer === undefined) this.#arm()
    this.#events.transmit(sequence, payload, fin)
  }

  #repeat(flight: Flight): void {
    flight.isRepeated = true
    this.#events.transmit(flight.sequence, flight.payload, flight.fin)
  }

  #arm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#flights.length === 0) return
    const at = after(this.#clock.now(), this.timeout.current)
    this.#timer = this.#clock.schedule(at, () => this.#timedOut())
  }

  #timedOut(): void {
    this.#timer = undefined
    const [first] = this.#flights
    if (first === undefined) return
    if (this.#repetitions++ >= mostRepetitions) {
      this.#events.givenUp()
      return
    }
    this.#shrinkWindow()
    this.#window = longestPayload
    this.timeout.backOff()
    this.#repeat(first)
    this.#arm()
  }
}
