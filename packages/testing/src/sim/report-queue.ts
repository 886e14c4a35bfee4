import { InternalError } from '@breakwater/core'
import type {
  Clock,
  PathHint,
  PeerId,
  PlaintextBatch,
  ScheduledCall,
  SecureEndpointHandlers,
  SessionEvent
} from '@breakwater/core'

type Report =
  | { readonly kind: 'plaintext'; readonly peer: PeerId; readonly bytes: Uint8Array }
  | { readonly kind: 'event'; readonly event: SessionEvent }
  | { readonly kind: 'hint'; readonly hint: PathHint }

type Plaintext = Extract<Report, { kind: 'plaintext' }>

/**
 * Keeps what an endpoint has to report in order and hands it over at the end of the instant, never from within a call
 * of its user. Plaintexts that stand together become one batch.
 */
export class ReportQueue {
  readonly #clock: Clock
  readonly #handlers: SecureEndpointHandlers
  readonly #uncaught: (error: unknown) => void
  #waiting: Report[] = []
  #scheduled: ScheduledCall | undefined

  constructor(clock: Clock, handlers: SecureEndpointHandlers, uncaught: (error: unknown) => void) {
    this.#clock = clock
    this.#handlers = handlers
    this.#uncaught = uncaught
  }

  plaintext(peer: PeerId, bytes: Uint8Array): void {
    this.#add({ kind: 'plaintext', peer, bytes: bytes.slice() })
  }

  event(event: SessionEvent): void {
    this.#add({ kind: 'event', event })
  }

  hint(hint: PathHint): void {
    this.#add({ kind: 'hint', hint })
  }

  /** Forgets everything; what is added later is forgotten, too. */
  close(): void {
    this.#waiting = []
    this.#scheduled?.cancel()
    this.#add = () => undefined
  }

  #add = (report: Report): void => {
    this.#waiting.push(report)
    this.#scheduled ??= this.#clock.schedule(this.#clock.now(), () => this.#flush())
  }

  #flush(): void {
    this.#scheduled = undefined
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch()
      if (batch.length > 0) this.#guarded(() => deliver(batch, this.#handlers))
      const [next] = this.#waiting
      if (next === undefined || next.kind === 'plaintext') continue
      this.#waiting.shift()
      this.#guarded(() => {
        if (next.kind === 'event') this.#handlers.onSession(next.event)
        else this.#handlers.onHint?.(next.hint)
      })
    }
  }

  #takeBatch(): readonly Plaintext[] {
    const batch: Plaintext[] = []
    for (const report of this.#waiting) {
      if (report.kind !== 'plaintext') break
      batch.push(report)
    }
    if (batch.length === this.#waiting.length) this.#waiting = []
    else this.#waiting.splice(0, batch.length)
    return batch
  }

  #guarded(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#uncaught(error)
    }
  }
}

/** Hands a batch over; afterwards its views are spoilt, so that whoever kept one notices. */
function deliver(plaintexts: readonly Plaintext[], handlers: SecureEndpointHandlers): void {
  const batch: PlaintextBatch = {
    count: plaintexts.length,
    peer: (index) => entry(plaintexts, index).peer,
    bytes: (index) => entry(plaintexts, index).bytes
  }
  try {
    handlers.onBatch(batch)
  } finally {
    for (const { bytes } of plaintexts) bytes.fill(0xdd)
  }
}

function entry(plaintexts: readonly Plaintext[], index: number): Plaintext {
  const found = plaintexts[index]
  if (found === undefined)
    throw new InternalError('TESTING_BATCH_INDEX', `no plaintext ${index} in the batch`)
  return found
}
