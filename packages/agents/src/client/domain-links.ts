import type { Counters, Log } from '@breakwater/core'
import type { Carriers, Site } from '@breakwater/dots'

/** Told of the carrier of an interface. */
export type OnLink = (name: string, isUp: boolean) => void

/**
 * The carriers of the interfaces that domains name: told when they are lost or there again, and nothing while they stay as they
 * are. An interface that was never there is nobody's link; one that has gone has lost its carrier.
 */
export class DomainLinks {
  readonly #log: Log
  readonly #counters: Counters
  readonly #told = new Map<string, boolean>()
  #carriers: Carriers | undefined
  #named: ReadonlySet<string> = new Set()
  #onLink: OnLink | undefined

  constructor(log: Log, counters: Counters) {
    this.#log = log
    this.#counters = counters
  }

  /** Tells of those that are down at once, and of every change from now on. */
  follow(onLink: OnLink | undefined): void {
    this.#onLink = onLink
    for (const [name, isUp] of this.#told) if (!isUp) onLink?.(name, isUp)
  }

  /** These domains count now. */
  name({ domains }: Site): void {
    this.#named = new Set(domains.flatMap(({ interfaces }) => interfaces))
    this.#compare()
  }

  take(carriers: Carriers): void {
    this.#carriers = carriers
    this.#compare()
  }

  #compare(): void {
    if (this.#carriers === undefined) return
    for (const name of this.#named) {
      const before = this.#told.get(name)
      const isUp = this.#carriers.get(name) ?? (before === undefined ? undefined : false)
      if (isUp === undefined || isUp === before) continue
      this.#told.set(name, isUp)
      // That everything is as it should be at the start is no news.
      if (before !== undefined || !isUp) this.#tell(name, isUp)
    }
  }

  #tell(name: string, isUp: boolean): void {
    this.#counters.count('link_changes_total', `${name} ${isUp ? 'up' : 'down'}`)
    // First of all: what is written down can wait.
    this.#onLink?.(name, isUp)
    if (isUp) this.#log.info('link.up', { interface: name })
    else this.#log.warn('link.down', { interface: name })
  }
}
