import { after, Seconds } from '@breakwater/core'
import type { Clock, ScheduledCall, SessionEnd } from '@breakwater/core'
import type { TLSSocket } from 'node:tls'

/** What a session tells of its connection. */
export interface TlsSessionEvents {
  data(bytes: Uint8Array): void
  /** The peer, or the network, has ended it. Not called after `end` or `destroy`. */
  over(reason: SessionEnd): void
  /** Its file is closed. The last call. */
  closed(): void
}

/** How long a session that is over may take to get rid of its queue and to hear the peer's close_notify. */
const lingerFor = Seconds(2)

/** An established TLS connection: a bounded queue down, pieces of the stream up. */
export class TlsSession {
  readonly #stream: TLSSocket
  readonly #clock: Clock
  readonly #queueLimit: number
  readonly #events: TlsSessionEvents
  #isOver = false
  #linger: ScheduledCall | undefined
  #isHeld = false

  constructor(stream: TLSSocket, clock: Clock, queueLimit: number, events: TlsSessionEvents) {
    this.#stream = stream
    this.#clock = clock
    this.#queueLimit = queueLimit
    this.#events = events
    // Requests are small and answers waited for: Nagle's algorithm would hold them back.
    stream.setNoDelay(true)
  }

  /** Begins to report what comes. */
  start(): void {
    const stream = this.#stream
    stream.on('data', (bytes: Buffer) => {
      if (!this.#isOver) this.#events.data(bytes)
    })
    stream.on('end', () => this.#over('close-notify'))
    stream.on('error', () => this.#over('alert'))
    stream.on('close', () => {
      this.#over('alert')
      this.#linger?.cancel()
      this.#events.closed()
    })
  }

  /** Bytes that the queue takes just now. */
  get room(): number {
    return Math.max(0, this.#queueLimit - this.#stream.writableLength)
  }

  /** Whether the queue could take that many bytes if it were empty. */
  couldTake(byteCount: number): boolean {
    return byteCount <= this.#queueLimit
  }

  /** Queues a copy; there must be room for it. */
  send(bytes: Uint8Array): void {
    this.#holdForTurn()
    this.#stream.write(Buffer.from(bytes))
  }

  /** Ends with close_notify behind all that is queued. */
  end(): void {
    this.#isOver = true
    this.#stream.end()
    this.#waitForClose()
  }

  /** Takes the connection away. */
  destroy(): void {
    this.#isOver = true
    this.#stream.destroy()
  }

  #over(reason: SessionEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#waitForClose()
    this.#events.over(reason)
  }

  #waitForClose(): void {
    if (this.#linger !== undefined || this.#stream.closed) return
    const until = after(this.#clock.now(), lingerFor)
    this.#linger = this.#clock.schedule(until, () => this.#stream.destroy())
  }

  /** All that is sent from one callback goes out in one write, and so in as few records as it can. */
  #holdForTurn(): void {
    if (this.#isHeld) return
    this.#isHeld = true
    this.#stream.cork()
    process.nextTick(() => {
      this.#isHeld = false
      this.#stream.uncork()
    })
  }
}
