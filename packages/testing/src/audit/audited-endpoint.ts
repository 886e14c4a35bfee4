import type {
  Clock,
  ConnectRequest,
  OpenSecureEndpoint,
  PeerId,
  PlaintextBatch,
  SecureEndpoint,
  SecureEndpointHandlers,
  SessionEvent
} from '@breakwater/core'
import { auditedMessage } from './audited-datagram.ts'
import type { AuditedDatagram, AuditedMessage } from './audited-datagram.ts'

export interface AuditedEndpointOptions {
  readonly clock: Clock
  readonly role: 'client' | 'server'
  /** Names the pair of agents that an event of a session is about. */
  readonly pairOf: (event: Extract<SessionEvent, { readonly kind: 'established' }>) => string
  readonly take: (datagram: AuditedDatagram) => void
}

/**
 * Opens endpoints that show an auditor everything that one agent sends and receives, decrypted: the same on a simulated
 * network and on a real one, where nobody else can read it.
 */
export function auditedEndpoints(
  open: OpenSecureEndpoint,
  options: AuditedEndpointOptions
): OpenSecureEndpoint {
  return async (endpointOptions, handlers) => {
    const audit = new EndpointAudit(options)
    const endpoint = await open(endpointOptions, audit.handlers(handlers))
    return audit.endpoint(endpoint)
  }
}

/** Listens to one endpoint: give its opener `handlers`, and to `endpoint` what it opens. */
export class EndpointAudit {
  readonly #options: AuditedEndpointOptions
  readonly #pairs = new Map<PeerId, string>()
  readonly #greetedAt = new Map<PeerId, ReturnType<Clock['now']>>()

  constructor(options: AuditedEndpointOptions) {
    this.#options = options
  }

  handlers(inner: SecureEndpointHandlers): SecureEndpointHandlers {
    return {
      onBatch: (batch) => {
        this.#received(batch)
        inner.onBatch(batch)
      },
      onSession: (event) => {
        this.#session(event)
        inner.onSession(event)
      },
      onHint: (hint) => inner.onHint?.(hint)
    }
  }

  /** The endpoint itself, listened to: whatever else it can do it goes on doing. */
  endpoint<Endpoint extends SecureEndpoint>(endpoint: Endpoint): Endpoint {
    const connect = endpoint.connect.bind(endpoint)
    const send = endpoint.send.bind(endpoint)
    endpoint.connect = (request: ConnectRequest): PeerId => {
      const peer = connect(request)
      this.#greetedAt.set(peer, this.#options.clock.now())
      return peer
    }
    endpoint.send = (peer: PeerId, bytes: Uint8Array): boolean => {
      const hasLeft = send(peer, bytes)
      if (hasLeft) this.#passed('sent', peer, bytes.length, auditedMessage(bytes))
      return hasLeft
    }
    return endpoint
  }

  #received(batch: PlaintextBatch): void {
    for (let index = 0; index < batch.count; index++) {
      const bytes = batch.bytes(index)
      this.#passed('delivered', batch.peer(index), bytes.length, auditedMessage(bytes))
    }
  }

  #session(event: SessionEvent): void {
    if (event.kind === 'established') {
      this.#pairs.set(event.peer, this.#options.pairOf(event))
      const greetedAt = this.#greetedAt.get(event.peer)
      if (greetedAt !== undefined) this.#passed('sent', event.peer, 0, { kind: 'handshake' }, greetedAt)
      if (greetedAt !== undefined) this.#passed('delivered', event.peer, 0, { kind: 'handshake' })
    } else this.#pairs.delete(event.peer)
    this.#greetedAt.delete(event.peer)
  }

  #passed(
    when: AuditedDatagram['when'],
    peer: PeerId,
    bytes: number,
    message: AuditedMessage | undefined,
    at = this.#options.clock.now()
  ): void {
    const pair = this.#pairs.get(peer)
    if (pair === undefined) return
    const isToServer = (when === 'sent') === (this.#options.role === 'client')
    const direction = isToServer ? 'to-server' : 'to-client'
    this.#options.take({ at, when, direction, pair, session: String(peer), bytes, message })
  }
}
