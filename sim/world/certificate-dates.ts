import { Seconds, after } from '@breakwater/core'
import type { Duration, WallTime } from '@breakwater/core'
import type { VirtualClock } from '@breakwater/testing'
import type { Course, ProviderFault } from '../scenario.ts'

/** Who lets a certificate expire at a provider: its own server, or the sites that it issued theirs to. */
export type Holder = 'server' | 'clients'

export function forgetfulHolder({ strength }: ProviderFault): Holder {
  return strength < 0.5 ? 'server' : 'clients'
}

/**
 * When certificates expire: each is good until the beginning of the next `certificate-expiry`, and a new one is there at
 * its end. Established sessions do not mind; handshakes do.
 */
export class CertificateDates {
  readonly #clock: VirtualClock
  readonly #start: WallTime
  readonly #faults: readonly ProviderFault[]

  constructor({ faults }: Course, clock: VirtualClock) {
    this.#clock = clock
    this.#start = clock.wallClock()
    this.#faults = faults.filter((fault): fault is ProviderFault => fault.kind === 'certificate-expiry')
  }

  /** The date in the newest certificate that there is now; undefined: far away. */
  notAfter(holder: Holder, provider: number): WallTime | undefined {
    const now = this.#clock.wallClock()
    let earliest: WallTime | undefined
    for (const fault of this.#faults) {
      if (fault.provider !== provider || forgetfulHolder(fault) !== holder) continue
      const expires = this.#at(Seconds(fault.at))
      if (this.#at(Seconds(fault.at + fault.lasts)) <= now) continue
      if (earliest === undefined || expires < earliest) earliest = expires
    }
    return earliest
  }

  #at(sinceStart: Duration): WallTime {
    return after(this.#start, sinceStart)
  }
}
