import { decodeUtf8 } from '@breakwater/core'
import type {
  PeerId,
  PeerIdentity,
  NetworkPath,
  PathHint,
  PlaintextBatch,
  SecureEndpointHandlers,
  SessionEnd,
  SessionEvent,
  SessionFailure
} from '@breakwater/core'

export interface ReceivedPlaintext {
  readonly peer: PeerId
  readonly bytes: Uint8Array
}

/** Handlers of a secure endpoint that write down everything that happens. */
export class RecordingHandlers implements SecureEndpointHandlers {
  readonly events: SessionEvent[] = []
  readonly hints: PathHint[] = []
  readonly received: ReceivedPlaintext[] = []
  /** Plaintexts in each batch. */
  readonly batchSizes: number[] = []
  /** Events and plaintexts in the order in which they came. */
  readonly story: string[] = []
  /** Called first thing in `onBatch`. */
  beforeBatch: (batch: PlaintextBatch) => void = () => undefined
  /** Called when an event has been written down. */
  afterEvent: (event: SessionEvent) => void = () => undefined

  readonly onBatch = (batch: PlaintextBatch): void => {
    this.beforeBatch(batch)
    this.batchSizes.push(batch.count)
    for (let index = 0; index < batch.count; index++) {
      const peer = batch.peer(index)
      // Copy: the view is valid only during this call.
      this.received.push({ peer, bytes: batch.bytes(index).slice() })
      this.story.push(`plaintext from ${peer}`)
    }
  }

  readonly onSession = (event: SessionEvent): void => {
    this.events.push(event)
    this.story.push(`${event.kind} ${event.peer}`)
    this.afterEvent(event)
  }

  readonly onHint = (hint: PathHint): void => {
    this.hints.push(hint)
  }

  /** The peers that were established, in that order, gone ones included. */
  established(): readonly PeerId[] {
    return this.events.filter((event) => event.kind === 'established').map((event) => event.peer)
  }

  isEstablished(peer: PeerId): boolean {
    return this.established().includes(peer)
  }

  identityOf(peer: PeerId): PeerIdentity | undefined {
    return this.#establishment(peer)?.identity
  }

  pathOf(peer: PeerId): NetworkPath | undefined {
    return this.#establishment(peer)?.path
  }

  /** How the session with `peer` ended; undefined while it has not. */
  endOf(peer: PeerId): SessionEnd | undefined {
    for (const event of this.events) if (event.kind === 'closed' && event.peer === peer) return event.reason
    return undefined
  }

  /** Why the handshake with `peer` failed; undefined while it has not. */
  failureOf(peer: PeerId): SessionFailure | undefined {
    for (const event of this.events) if (event.kind === 'failed' && event.peer === peer) return event.reason
    return undefined
  }

  /** The reasons of all failed handshakes. */
  failures(): readonly SessionFailure[] {
    return this.events.flatMap((event) => (event.kind === 'failed' ? [event.reason] : []))
  }

  /** What `peer` sent, read as UTF-8. */
  textsFrom(peer: PeerId): readonly string[] {
    return this.received.filter((one) => one.peer === peer).map((one) => decodeUtf8(one.bytes))
  }

  #establishment(peer: PeerId): Extract<SessionEvent, { kind: 'established' }> | undefined {
    for (const event of this.events) if (event.kind === 'established' && event.peer === peer) return event
    return undefined
  }
}
