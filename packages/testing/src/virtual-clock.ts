import { after, Instant, InternalError, WallTime } from '@breakwater/core'
import type { Clock, Duration, ScheduledCall } from '@breakwater/core'
import { EventQueue } from './event-queue.ts'
import type { QueuedEvent } from './event-queue.ts'

export interface VirtualClockOptions {
  /** Where the monotonic clock starts. Default 0. */
  readonly start?: Instant
  /** Where the calendar starts. Default 2026-01-01T00:00:00Z. */
  readonly wallClock?: WallTime
  /**
   * Turns of the microtask queue that are given away between two events. A chain of promises of this depth, without
   * real I/O in it, is finished before virtual time moves on. Default 64.
   */
  readonly microtaskTurns?: number
  /**
   * Turns after a call that nobody announced promises for; see `expectPromises`. Default: as many as `microtaskTurns`.
   * Most calls of a large world touch no promise, and turns take more time than anything else in it.
   */
  readonly quietTurns?: number
}

/** Awaiting it takes one turn of the microtask queue. */
const aTurn = Promise.resolve()

const defaultWallClock = WallTime(1_767_225_600_000)

/** So many events at one instant are a loop that never lets time go on. */
const eventsPerInstant = 100_000

/**
 * Time that moves only when a test says so, from event to event in the order (time, sequence of scheduling).
 *
 * Between two events it lets promises run, so that a store or mitigator that answers by promise is served before time
 * moves on. Real I/O does not end within microtasks: give its promise to `hold`.
 *
 * A call that throws makes the `advance`, `advanceTo` or `runUntil` that ran it reject with that error; the events
 * behind it stay queued.
 *
 * ```ts
 * const clock = new VirtualClock()
 * clock.schedule(after(clock.now(), Seconds(3)), () => retransmit())
 * await clock.advance(Seconds(3))
 * ```
 */
export class VirtualClock implements Clock {
  readonly #queue = new EventQueue()
  readonly #held = new Set<Promise<unknown>>()
  readonly #microtaskTurns: number
  readonly #quietTurns: number
  #now: Instant
  /** Calendar minus monotonic clock. */
  #wallOffset: number
  #moving = false
  #instantOfCount: Instant | undefined
  #eventsAtInstant = 0
  #callsMade = 0
  #expectsPromises = false

  constructor(options: VirtualClockOptions = {}) {
    this.#now = options.start ?? Instant(0)
    this.#wallOffset = (options.wallClock ?? defaultWallClock) - this.#now
    this.#microtaskTurns = options.microtaskTurns ?? 64
    this.#quietTurns = options.quietTurns ?? this.#microtaskTurns
  }

  now(): Instant {
    return this.#now
  }

  wallClock(): WallTime {
    return WallTime(this.#now + this.#wallOffset)
  }

  /** Sets the calendar; the monotonic clock and everything scheduled stay as they are. */
  setWallClock(moment: WallTime): void {
    this.#wallOffset = moment - this.#now
  }

  /** Moves the calendar by `duration`, which may be negative, as an operator or NTP would. */
  stepWallClock(duration: Duration): void {
    this.#wallOffset += duration
  }

  schedule(at: Instant, act: () => void): ScheduledCall {
    if (Number.isNaN(at)) throw new InternalError('TESTING_CLOCK_NAN', 'scheduled at NaN')
    const event = this.#queue.add(at > this.#now ? at : this.#now, act)
    return { cancel: () => this.#queue.cancel(event) }
  }

  /** Scheduled calls that are neither done nor cancelled: 0 when everything was tidied up. */
  pending(): number {
    return this.#queue.size
  }

  /** Scheduled calls that were made so far. */
  get callsMade(): number {
    return this.#callsMade
  }

  /** Promises were settled or begun in this call: they are given `microtaskTurns` before time moves on. */
  expectPromises(): void {
    this.#expectsPromises = true
  }

  /** When the next scheduled call is due; undefined when there is none. */
  nextEvent(): Instant | undefined {
    return this.#queue.peek()?.at
  }

  /**
   * Keeps virtual time where it is until `work` settles, however long that takes in reality. Returns `work`. Only for
   * work that does not itself wait for virtual time: that would never end.
   */
  hold<Result>(work: Promise<Result>): Promise<Result> {
    const settled = work.then(
      () => undefined,
      () => undefined
    )
    this.#held.add(settled)
    void settled.then(() => this.#held.delete(settled))
    return work
  }

  /** Lets promises run without moving time. Calls that are due at this very instant stay queued. */
  settle(): Promise<void> {
    this.#expectsPromises = true
    return this.#settle()
  }

  /** Moves time on by `duration` and runs everything that falls due, also what is due at the last instant. */
  advance(duration: Duration): Promise<void> {
    return this.advanceTo(after(this.#now, duration))
  }

  /** Moves time on to `moment` and runs everything that falls due. A moment of the past only runs what is due now. */
  async advanceTo(moment: Instant): Promise<void> {
    await this.#move(moment, () => false)
  }

  /**
   * Moves from event to event until `condition` holds.
   * @returns true as soon as it holds; false when it does not after `limit`.
   */
  runUntil(condition: () => boolean, limit: Duration): Promise<boolean> {
    return this.#move(after(this.#now, limit), condition)
  }

  async #settle(): Promise<void> {
    do {
      if (this.#held.size > 0) await Promise.all(this.#held)
      const turns = this.#expectsPromises ? this.#microtaskTurns : this.#quietTurns
      this.#expectsPromises = false
      for (let turn = 0; turn < turns; turn++) await aTurn
    } while (this.#held.size > 0 || this.#expectsPromises)
  }

  async #move(end: Instant, stop: () => boolean): Promise<boolean> {
    // Two movers would each believe that time stands still while they wait for promises.
    if (this.#moving) throw new InternalError('TESTING_CLOCK_BUSY', 'virtual time is already being moved')
    this.#moving = true
    try {
      await this.settle()
      while (!stop()) {
        const event = this.#queue.peek()
        if (event === undefined || event.at > end) {
          if (end > this.#now) this.#now = end
          return stop()
        }
        this.#queue.takeFirst()
        this.#run(event)
        await this.#settle()
      }
      return true
    } finally {
      this.#moving = false
    }
  }

  #run(event: QueuedEvent): void {
    if (event.at !== this.#instantOfCount) this.#eventsAtInstant = 0
    this.#instantOfCount = event.at
    if (++this.#eventsAtInstant > eventsPerInstant)
      throw new InternalError('TESTING_CLOCK_STUCK', `${eventsPerInstant} events at ${event.at} ms`)
    this.#now = event.at
    this.#callsMade++
    event.act()
  }
}
