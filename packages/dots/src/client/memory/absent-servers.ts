import type { ServerName } from '../../domain/identifier.ts'
import type { RememberedOutcomes } from '../connection/outcome-memory.ts'
import type { ServerLegacy } from './client-records.ts'

/** What is known of servers that are not of the site now, for the case that they are again. */
export class AbsentServers {
  readonly #legacies = new Map<ServerName, ServerLegacy>()
  readonly #outcomes = new Map<ServerName, RememberedOutcomes>()

  keepLegacy(server: ServerName, legacy: ServerLegacy): void {
    this.#legacies.set(server, legacy)
  }

  keepOutcomes(server: ServerName, outcomes: RememberedOutcomes): void {
    this.#outcomes.set(server, outcomes)
  }

  takeLegacy(server: ServerName): ServerLegacy | undefined {
    const legacy = this.#legacies.get(server)
    this.#legacies.delete(server)
    return legacy
  }

  takeOutcomes(server: ServerName): RememberedOutcomes | undefined {
    const outcomes = this.#outcomes.get(server)
    this.#outcomes.delete(server)
    return outcomes
  }
}
