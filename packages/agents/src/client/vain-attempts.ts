import { readFileSync } from 'node:fs'
import { X509Certificate } from 'node:crypto'
import { UnavailableError } from '@breakwater/core'
import type {
  ClientEndpointOptions,
  Clock,
  Log,
  SecureEndpoint,
  SecureEndpointHandlers,
  SecureEndpointOptions,
  WallTime
} from '@breakwater/core'

type Open<Endpoint extends SecureEndpoint> = (
  options: SecureEndpointOptions,
  handlers: SecureEndpointHandlers
) => Promise<Endpoint>

export interface VainAttemptsOptions {
  readonly clock: Clock
  readonly log: Log
  /** Where the system tells of its interfaces. Default `/sys/class/net`. */
  readonly interfaces?: string
}

/**
 * Keeps a client from handshakes that can come to nothing: without a carrier nothing gets out, and by a clock that
 * contradicts the own certificate no certificate is valid. Such an attempt sends nothing, so that it does not count
 * (RFC 9132 §4.7) and the next one comes within seconds of the repair, and not of minutes.
 */
export class VainAttempts {
  readonly #options: VainAttemptsOptions
  /** Interface and reason that were told last, lest every attempt be told of. */
  readonly #told = new Map<string, string>()

  constructor(options: VainAttemptsOptions) {
    this.#options = options
  }

  /** The same opener, which rejects with UnavailableError (`CLIENT_ATTEMPT_VAIN`) where nothing can come of it now. */
  refusing<Endpoint extends SecureEndpoint>(open: Open<Endpoint>): Open<Endpoint> {
    return async (options, handlers) => {
      const obstacle = options.role === 'client' ? this.obstacleTo(options) : undefined
      this.#tell(options.interface ?? '', obstacle)
      if (obstacle !== undefined) throw new UnavailableError('CLIENT_ATTEMPT_VAIN', obstacle, true)
      return open(options, handlers)
    }
  }

  /** Why nothing can come of a handshake now; undefined: something may. */
  obstacleTo({ credentials, interface: via }: ClientEndpointOptions): string | undefined {
    if (via !== undefined && !this.#hasCarrier(via)) return `interface ${via} has no carrier`
    if (credentials.kind !== 'certificate') return undefined
    return contradiction(new X509Certificate(credentials.certificate), this.#options.clock.wallClock())
  }

  #hasCarrier(name: string): boolean {
    try {
      return readFileSync(`${this.#options.interfaces ?? '/sys/class/net'}/${name}/carrier`, 'utf8') !== '0\n'
    } catch (error) {
      // EINVAL: the interface is down. Where the system does not tell, the attempt will.
      return !(error instanceof Error && 'code' in error && error.code === 'EINVAL')
    }
  }

  #tell(via: string, obstacle: string | undefined): void {
    if (obstacle === undefined) this.#told.delete(via)
    else if (this.#told.get(via) !== obstacle) {
      this.#told.set(via, obstacle)
      this.#options.log.warn('session.not_attempted', { reason: obstacle })
    }
  }
}

function contradiction({ validFromDate, validToDate }: X509Certificate, at: WallTime): string | undefined {
  if (at < validFromDate.getTime())
    return `by the clock of this host its own certificate is not valid yet: it is ${dayOf(at)}, or so it says`
  if (at > validToDate.getTime())
    return `by the clock of this host its own certificate has expired: it is ${dayOf(at)}, or so it says`
  return undefined
}

function dayOf(at: WallTime): string {
  return new Date(at).toISOString().slice(0, 10)
}
