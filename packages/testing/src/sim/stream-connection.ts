import { after, Milliseconds } from '@breakwater/core'
import type { Clock, Duration, Instant, ScheduledCall } from '@breakwater/core'
import { StreamReceiver } from './stream-receiver.ts'
import { resetOf, SegmentKind } from './stream-segment.ts'
import type { Segment } from './stream-segment.ts'
import { StreamSender } from './stream-sender.ts'
import { firstTimeout } from './stream-timeout.ts'

export interface StreamConnectionEvents {
  /** Puts a segment on the wire. */
  transmit(segment: Segment): void
  opened(): void
  data(bytes: Uint8Array): void
  /** The peer sends nothing more. */
  ended(): void
  /** `write` takes bytes again. */
  drained(): void
  /** Reset by the peer, or given up. */
  broken(why: 'reset' | 'timeout'): void
  /** Nothing is sent or reported any more. Called once. */
  released(): void
}

/**
 * | state | on |
 * |---|---|
 * | `connecting`: our SYN is out | SYN-ACK: `open` |
 * | `accepting`: our SYN-ACK is out | anything but SYN: `open` |
 * | `open` | both ends done, or reset: `closed` |
 *
 * A connection is named by a number that its client chose: segments of another one are not its own.
 */
type ConnectionState = 'connecting' | 'accepting' | 'open' | 'closed'

/** A client repeats its SYN as long as it is not stopped; a server its SYN-ACK so often. */
const mostSynAcks = 5

const nothing = new Uint8Array(0)

/** One end of a simulated TCP connection: SYNs are repeated after 1 s, 2 s, 4 s … (RFC 6298 §2, §5.5). */
export class StreamConnection {
  readonly id: number
  readonly #clock: Clock
  readonly #events: StreamConnectionEvents
  readonly #sender: StreamSender
  readonly #receiver = new StreamReceiver()
  #state: ConnectionState
  #synTimer: ScheduledCall | undefined
  #syns = 0
  #firstSynAt: Instant | undefined

  constructor(id: number, role: 'client' | 'server', clock: Clock, events: StreamConnectionEvents) {
    this.id = id
    this.#clock = clock
    this.#events = events
    this.#sender = new StreamSender(clock, {
      transmit: (sequence, payload, fin) => this.#transmit(SegmentKind.data, sequence, payload, fin),
      drained: () => events.drained(),
      givenUp: () => this.#break('timeout')
    })
    this.#state = role === 'client' ? 'connecting' : 'accepting'
    this.#sendSyn(firstTimeout)
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Bytes that `write` takes just now. */
  get room(): number {
    return this.#sender.room
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== 'closed') this.#sender.write(bytes)
  }

  /** Ends our direction behind what was written. */
  end(): void {
    if (this.#state !== 'closed') this.#sender.end()
  }

  /** Takes the connection away: the peer hears a reset. */
  abort(): void {
    if (this.#state === 'closed') return
    this.#events.transmit(resetOf(this.id))
    this.vanish()
  }

  /** Says nothing, does nothing more. */
  vanish(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#synTimer?.cancel()
    this.#sender.stop()
    this.#events.released()
  }

  /** Takes a segment of this connection. */
  receive(segment: Segment): void {
    if (this.#state === 'closed') return
    if (segment.connection !== this.id) this.#receiveStrange(segment)
    else if (segment.kind === SegmentKind.reset) this.#break('reset')
    else if (segment.kind === SegmentKind.syn) this.#repeatAnswer()
    else if (segment.kind === SegmentKind.synAck) this.#receiveSynAck()
    else this.#receiveData(segment)
  }

  #sendSyn(patience: Duration): void {
    const kind = this.#state === 'connecting' ? SegmentKind.syn : SegmentKind.synAck
    this.#firstSynAt ??= this.#clock.now()
    this.#syns++
    this.#transmit(kind, 0, nothing, false)
    this.#synTimer = this.#clock.schedule(after(this.#clock.now(), patience), () => {
      if (this.#state === 'accepting' && this.#syns > mostSynAcks) this.#break('timeout')
      else this.#sendSyn(Milliseconds(patience * 2))
    })
  }

  /** The peer did not get what we said to its SYN. */
  #repeatAnswer(): void {
    if (this.#state === 'accepting') this.#transmit(SegmentKind.synAck, 0, nothing, false)
    else this.#acknowledge()
  }

  /** A client that begins anew from the same port has forgotten this connection (RFC 9293 §3.5.1). */
  #receiveStrange({ kind }: Segment): void {
    if (kind === SegmentKind.syn) this.#break('reset')
  }

  #receiveSynAck(): void {
    if (this.#state === 'connecting') this.#open()
    this.#acknowledge()
  }

  #receiveData(segment: Segment): void {
    if (this.#state === 'connecting') return
    if (this.#state === 'accepting') this.#open()
    const isBare = segment.payload.length === 0 && !segment.fin
    this.#sender.acknowledge(segment.acknowledged, isBare)
    if (isBare) {
      this.#settle()
      return
    }
    const hadEnded = this.#receiver.hasEnded
    const pieces = this.#receiver.receive(segment)
    this.#acknowledge()
    for (const piece of pieces) if (this.#state === 'open') this.#events.data(piece)
    if (this.#receiver.hasEnded && !hadEnded && this.#state === 'open') this.#events.ended()
    this.#settle()
  }

  #open(): void {
    this.#state = 'open'
    this.#synTimer?.cancel()
    // Karn's rule (RFC 6298 §3): of a repeated SYN, nobody knows which one was answered.
    if (this.#syns === 1 && this.#firstSynAt !== undefined)
      this.#sender.timeout.measured(Milliseconds(this.#clock.now() - this.#firstSynAt))
    this.#events.opened()
    if (this.#state === 'open') this.#sender.start()
  }

  #settle(): void {
    if (this.#state === 'open' && this.#sender.isDone && this.#receiver.hasEnded) this.vanish()
  }

  #break(why: 'reset' | 'timeout'): void {
    this.vanish()
    this.#events.broken(why)
  }

  #acknowledge(): void {
    // It carries no bytes, so its own number does not matter.
    if (this.#state === 'open') this.#transmit(SegmentKind.data, 0, nothing, false)
  }

  #transmit(kind: SegmentKind, sequence: number, payload: Uint8Array, fin: boolean): void {
    const { acknowledged } = this.#receiver
    this.#events.transmit({ kind, connection: this.id, sequence, acknowledged, fin, payload })
  }
}
