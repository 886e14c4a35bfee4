import { earlier } from '@breakwater/core'
import type { Entropy, Instant } from '@breakwater/core'
import type { Cuid, DomainName, ServerName } from '../domain/identifier.ts'
import type { DotsServer } from '../domain/site.ts'
import { alternatePaths } from '../multihoming/alternate-paths.ts'
import type { SitePlan } from '../multihoming/site-plan.ts'
import { DEFAULT_SESSION_PARAMETERS } from '../signal/defaults.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import { SessionLoads } from '../signal/session-loads.ts'
import { Association } from './association.ts'
import type { AssociationInput, AssociationOutput } from './association-io.ts'
import type { Calendar } from './memory/calendar.ts'
import { RecentContacts } from './redirection/redirection.ts'
import type { WantedConfiguration } from './session/session-negotiation.ts'
import type { SessionRules } from './connection/session-keeper.ts'
import { liveSessions } from './connection/session-state.ts'
import type { ConnectionId } from './connection/session-state.ts'

export interface AssociationPoolOptions {
  readonly cuids: ReadonlyMap<DomainName, Cuid>
  readonly calendar: Calendar
  readonly entropy: Entropy
  readonly rules: SessionRules
  readonly resolvingDomains?: ReadonlySet<DomainName> | undefined
  readonly parameters?: SessionParameters | undefined
  readonly configuration?: WantedConfiguration | undefined
  /** Does what an association wants done. */
  readonly perform: (association: Association, output: AssociationOutput, now: Instant) => void
}

/**
 * The associations with all servers of a site (RFC 9284 §5.1): makes them, knows which connection belongs to which, and
 * takes every input to its own one. It does not know what is asked of the servers.
 */
export class AssociationPool {
  readonly #options: AssociationPoolOptions
  readonly #associations = new Map<ServerName, Association>()
  readonly #byConnection = new Map<ConnectionId, Association>()
  readonly #contacts = new RecentContacts(() => this.#heard())
  readonly #loads = new SessionLoads()
  #nextConnection = 1

  /** One for each server of the plan whose domain has a cuid. */
  constructor(plan: SitePlan, options: AssociationPoolOptions) {
    this.#options = options
    for (const server of plan.servers.values()) {
      const cuid = options.cuids.get(server.domain)
      if (cuid !== undefined) this.#associations.set(server.name, this.#associate(server, cuid, plan))
    }
  }

  get byServer(): ReadonlyMap<ServerName, Association> {
    return this.#associations
  }

  all(): readonly Association[] {
    return [...this.#associations.values()]
  }

  get(server: ServerName): Association | undefined {
    return this.#associations.get(server)
  }

  /** What the CoAP sessions hold together and have lost, by the names of metrics. */
  loads(): Readonly<Record<string, number>> {
    return this.#loads.counters(this.all().flatMap((association) => association.loads()))
  }

  /** Tells the association with a server; without one, nobody. */
  tell(server: ServerName, input: AssociationInput, now: Instant): void {
    const association = this.#associations.get(server)
    if (association !== undefined) this.#tell(association, input, now)
  }

  tellAll(input: AssociationInput, now: Instant): void {
    for (const association of this.#associations.values()) this.#tell(association, input, now)
  }

  /** Tells whose connection it is. */
  tellOwner(input: Extract<AssociationInput, { connection: ConnectionId }>, now: Instant): void {
    const association = this.#byConnection.get(input.connection)
    if (association !== undefined) this.#tell(association, input, now)
    if (input.kind === 'failed' || input.kind === 'closed') this.#byConnection.delete(input.connection)
  }

  nextTimeout(): Instant | undefined {
    let next: Instant | undefined
    for (const association of this.#associations.values()) next = earlier(next, association.nextTimeout())
    return next
  }

  handleTimeout(now: Instant): void {
    for (const association of this.#associations.values()) {
      association.handleTimeout(now)
      this.#drain(association, now)
    }
  }

  #associate(server: DotsServer, cuid: Cuid, plan: SitePlan): Association {
    const { calendar, entropy, rules, resolvingDomains, configuration } = this.#options
    return new Association({
      server,
      paths: plan.paths.get(server.name) ?? { paths: [], illegal: [] },
      cuid,
      calendar,
      entropy,
      rules,
      parameters: this.#options.parameters ?? DEFAULT_SESSION_PARAMETERS,
      configuration,
      redirection: {
        contacts: this.#contacts,
        pathsTo: (alternate) => alternatePaths(plan.site, server, alternate),
        resolvesNames: resolvingDomains?.has(server.domain) ?? false
      },
      loads: this.#loads,
      newConnection: () => this.#nextConnection++ as ConnectionId
    })
  }

  #tell(association: Association, input: AssociationInput, now: Instant): void {
    association.handle(input, now)
    this.#drain(association, now)
  }

  #drain(association: Association, now: Instant): void {
    for (let output = association.poll(); output !== undefined; output = association.poll()) {
      if (output.kind === 'connect') this.#byConnection.set(output.connection, association)
      this.#options.perform(association, output, now)
    }
  }

  /** Every server that there is a session with, and when it was heard. */
  *#heard(): Iterable<readonly [string, Instant]> {
    for (const { state } of this.#associations.values())
      for (const { path, session } of liveSessions(state)) yield [path.referenceName, session.heardAt]
  }
}
