import { WallTime } from '@breakwater/core'
import type {
  Clock,
  Duration,
  Instant,
  OpenSecureEndpoint,
  OpenSecureStream,
  PlaintextBatch,
  ScheduledCall,
  SecureEndpoint,
  SecureEndpointHandlers,
  SocketAddress
} from '@breakwater/core'
import type { SimulatedHost, VirtualClock } from '@breakwater/testing'

/** The calendar of one computer; the monotonic clock is the world's. */
export class Calendar {
  #offset = 0

  step(duration: Duration): void {
    this.#offset += duration
  }

  read(clock: VirtualClock): WallTime {
    return WallTime(clock.wallClock() + this.#offset)
  }
}

/**
 * One life of a program on one computer. What it scheduled dies with it, and what it hears or says after its death is
 * nothing: a killed server must not go on writing to the disk that its successor reads. While it is frozen, what is due
 * waits until it goes on.
 */
export class Process implements Clock {
  readonly #clock: VirtualClock
  readonly #calendar: Calendar
  readonly #scheduled = new Set<ScheduledCall>()
  readonly #lastWords = new Set<() => void>()
  readonly #endpoints = new Map<SecureEndpoint, SocketAddress>()
  #isAlive = true
  /** What is due and waits, in order; undefined: it runs. */
  #waiting: Set<() => void> | undefined

  constructor(clock: VirtualClock, calendar: Calendar) {
    this.#clock = clock
    this.#calendar = calendar
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  get isFrozen(): boolean {
    return this.#waiting !== undefined
  }

  /** Endpoints that it opened, and where. */
  get endpoints(): ReadonlyMap<SecureEndpoint, SocketAddress> {
    return this.#endpoints
  }

  now(): Instant {
    return this.#clock.now()
  }

  wallClock(): WallTime {
    return this.#calendar.read(this.#clock)
  }

  schedule(at: Instant, act: () => void): ScheduledCall {
    if (!this.#isAlive) return { cancel: () => undefined }
    const call = this.#clock.schedule(at, () => {
      this.#scheduled.delete(call)
      this.whenAwake(act)
    })
    this.#scheduled.add(call)
    return {
      cancel: () => {
        this.#scheduled.delete(call)
        this.#waiting?.delete(act)
        call.cancel()
      }
    }
  }

  /** Schedules what settles a promise of the world outside. */
  answerAt(at: Instant, act: () => void): void {
    this.schedule(at, () => {
      this.#clock.expectPromises()
      act()
    })
  }

  /** Now, or as soon as it goes on. */
  whenAwake(act: () => void): void {
    if (this.#waiting === undefined) act()
    else this.#waiting.add(act)
  }

  /** As SIGSTOP does. */
  freeze(): void {
    this.#waiting ??= new Set()
  }

  thaw(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const act of waiting) this.schedule(this.now(), act)
  }

  /** Opens endpoints of a host for as long as the process lives. */
  opener(host: SimulatedHost): OpenSecureEndpoint {
    return (options, handlers) =>
      this.#whileAlive(options.local, host.openSecureEndpoint(options, this.#awake(handlers)))
  }

  /** The same for streams. */
  streamOpener(host: SimulatedHost): OpenSecureStream {
    return (options, handlers) =>
      this.#whileAlive(options.local, host.openSecureStream(options, this.#awake(handlers)))
  }

  async #whileAlive<Endpoint extends SecureEndpoint>(
    local: SocketAddress,
    opening: Promise<Endpoint>
  ): Promise<Endpoint> {
    this.#clock.expectPromises()
    const endpoint = await opening
    if (this.#isAlive) {
      this.#endpoints.set(endpoint, local)
      return endpoint
    }
    await endpoint.destroy()
    return await new Promise(() => undefined)
  }

  /** Called when the process is killed, unless the function that is returned was called before. */
  atDeath(act: () => void): () => void {
    this.#lastWords.add(act)
    return () => void this.#lastWords.delete(act)
  }

  kill(): void {
    this.#isAlive = false
    this.#waiting = undefined
    this.#endpoints.clear()
    for (const call of this.#scheduled) call.cancel()
    this.#scheduled.clear()
    for (const act of this.#lastWords) act()
    this.#lastWords.clear()
  }

  #awake(handlers: SecureEndpointHandlers): SecureEndpointHandlers {
    return {
      onBatch: (batch) => {
        if (this.#waiting === undefined) handlers.onBatch(batch)
        else {
          const copy = copyOf(batch)
          this.whenAwake(() => handlers.onBatch(copy))
        }
      },
      onSession: (event) => this.whenAwake(() => handlers.onSession(event))
    }
  }
}

/** A batch is good during its call only. */
function copyOf(batch: PlaintextBatch): PlaintextBatch {
  const all = Array.from({ length: batch.count }, (_, index) => ({
    peer: batch.peer(index),
    bytes: batch.bytes(index).slice()
  }))
  const entry = (index: number): (typeof all)[number] => {
    const found = all[index]
    if (found === undefined) throw new RangeError(`no plaintext ${index}`)
    return found
  }
  return { count: all.length, peer: (index) => entry(index).peer, bytes: (index) => entry(index).bytes }
}
