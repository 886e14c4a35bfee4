import type { Instant } from '@breakwater/core'
import type { ServerName } from '../domain/identifier.ts'
import type { Association } from './association.ts'
import type { AssociationPool } from './association-pool.ts'
import type { ServerLocations } from './location/server-locations.ts'

/** When sessions begin: with servers of known addresses at once, with others as soon as it is known where they are. */
export class Beginnings {
  readonly #pool: AssociationPool
  readonly #locator: ServerLocations
  #isStarted = false

  constructor(pool: AssociationPool, locator: ServerLocations) {
    this.#pool = pool
    this.#locator = locator
  }

  /** The client has started, and not stopped since. */
  get isStarted(): boolean {
    return this.#isStarted
  }

  start(): void {
    this.#isStarted = true
  }

  stop(): void {
    this.#isStarted = false
  }

  /** With these servers there is to be a session. Default routers, and servers that are known by name, may follow later. */
  begin(associations: readonly Association[], now: Instant): void {
    for (const { server, state } of associations)
      if (state.kind === 'stopped' && server.isDefaultRouter !== true && this.#locator.mayBegin(server))
        this.#begin(server.name, now)
  }

  /** With this one there was to be none so far. It may have become known in the meantime where it is. */
  beginLate({ server, paths }: Association, now: Instant): void {
    if (server.isDefaultRouter === true ? paths.paths.length > 0 : this.#locator.mayBegin(server))
      this.#begin(server.name, now)
  }

  #begin(server: ServerName, now: Instant): void {
    if (this.#isStarted) this.#pool.begin(server, now)
  }
}
