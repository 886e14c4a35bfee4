import type {
  PathHint,
  SecureEndpoint,
  SecureEndpointHandlers,
  SecureEndpointOptions,
  SessionEvent
} from '@breakwater/core'

type Established = Extract<SessionEvent, { kind: 'established' }>

type Open<Endpoint extends SecureEndpoint> = (
  options: SecureEndpointOptions,
  handlers: SecureEndpointHandlers
) => Promise<Endpoint>

/** What an agent does for its endpoints beyond what its machine asks for. */
export interface EndpointCare {
  /** What the options become. */
  readonly prepare?: (options: SecureEndpointOptions) => SecureEndpointOptions
  /** Hears of each session before the machine does. `options`: what the machine asked for. */
  readonly onEstablished?: (
    endpoint: SecureEndpoint,
    options: SecureEndpointOptions,
    event: Established
  ) => void
  /** Hears of what others say of paths. */
  readonly onHint?: (hint: PathHint) => void
}

/**
 * The endpoints that an agent's machine has open, for what comes from outside of it: new credentials, new keys of
 * tickets, sessions that are to be kept.
 */
export class OpenEndpoints<Endpoint extends SecureEndpoint> {
  readonly #open: Open<Endpoint>
  readonly #care: EndpointCare
  readonly #all = new Map<Endpoint, SecureEndpointOptions>()

  constructor(open: Open<Endpoint>, care: EndpointCare = {}) {
    this.#open = open
    this.#care = care
  }

  /** Give this to the host of the machine. */
  readonly open: Open<Endpoint> = async (options, handlers) => {
    const { prepare, onEstablished, onHint } = this.#care
    let opened: Endpoint | undefined
    const listening: SecureEndpointHandlers = {
      onBatch: (batch) => handlers.onBatch(batch),
      onHint: (hint) => {
        onHint?.(hint)
        handlers.onHint?.(hint)
      },
      onSession: (event) => {
        if (event.kind === 'established' && opened !== undefined) onEstablished?.(opened, options, event)
        handlers.onSession(event)
      }
    }
    opened = await this.#open(prepare?.(options) ?? options, listening)
    this.#all.set(opened, options)
    return this.#watched(opened)
  }

  /** What is destroyed is not asked for anything any more: clients whose site changes open and close many. */
  #watched(opened: Endpoint): Endpoint {
    const destroy = opened.destroy.bind(opened)
    opened.destroy = () => {
      this.#all.delete(opened)
      return destroy()
    }
    return opened
  }

  /** Each endpoint that is open. */
  each(visit: (endpoint: Endpoint, options: SecureEndpointOptions) => void): void {
    for (const [endpoint, options] of this.#all) visit(endpoint, options)
  }
}
