import { Minutes, after } from '@breakwater/core'
import type { Clock, Counters, Instant, Log } from '@breakwater/core'
import type { ProvisioningEvent } from '@breakwater/dots'

/** What a provider's DHCP server can make the client say: the rest of a minute is counted only. */
const LINES_A_MINUTE = 20

/** Writes down and counts what is learnt and what is refused. */
export class ProvisioningLog {
  readonly #log: Log
  readonly #clock: Clock
  readonly #counters: Counters
  #minuteEnds: Instant | undefined
  #lines = 0
  #areAddressesUnknown = false

  constructor(log: Log, clock: Clock, counters: Counters) {
    this.#log = log
    this.#clock = clock
    this.#counters = counters
  }

  take(event: ProvisioningEvent): void {
    if (event.kind === 'changed') {
      const { domain, gained, lost } = event
      this.#counters.count('provisioning_changes_total', domain)
      if (this.#mayWrite()) this.#log.info('provisioning.changed', { domain, gained, lost })
      return
    }
    const { source, what, reason } = event
    this.#counters.count('provisioning_refused_total', 'fact')
    if (this.#mayWrite()) this.#log.warn('provisioning.refused', { source, what, reason })
  }

  unreadable(place: string, reason: string): void {
    this.#counters.count('provisioning_refused_total', 'file')
    if (this.#mayWrite()) this.#log.warn('provisioning.unreadable', { place, reason })
  }

  siteRefused(reason: string, problems: readonly string[]): void {
    this.#counters.count('provisioning_refused_total', 'site')
    if (this.#mayWrite()) this.#log.error('provisioning.site_refused', { reason, problems })
  }

  addressesUnknown(reason: string): void {
    if (!this.#areAddressesUnknown) this.#log.warn('addresses.unknown', { reason })
    this.#areAddressesUnknown = true
  }

  addressesKnown(): void {
    this.#areAddressesUnknown = false
  }

  #mayWrite(): boolean {
    const now = this.#clock.now()
    if (this.#minuteEnds === undefined || now >= this.#minuteEnds) {
      this.#minuteEnds = after(now, Minutes(1))
      this.#lines = 0
    }
    return ++this.#lines <= LINES_A_MINUTE
  }
}
