import type { Instant } from '@breakwater/core'
import type { MitigationScopeEntry } from '@breakwater/model'
import type { Cuid, MitigationId } from '../domain/identifier.ts'
import { Admission } from './requests/admission.ts'
import { AttackWatch } from './mitigations/attack-watch.ts'
import { Commits } from './mitigations/commits.ts'
import { ConfigResource } from './sessions/config-resource.ts'
import { GetMitigation } from './requests/get-mitigation.ts'
import { Lifecycle } from './mitigations/lifecycle.ts'
import { MitigationRecords } from './mitigations/mitigation-records.ts'
import { MitigationRequests } from './requests/mitigation-requests.ts'
import { isInForce } from './mitigations/mitigation.ts'
import type { Mitigation } from './mitigations/mitigation.ts'
import { MutationQueue, isChanging } from './requests/mutation-queue.ts'
import { NameResolution } from './names/name-resolution.ts'
import { NameWatch } from './names/name-watch.ts'
import { Observations } from './observation/observation.ts'
import { PendingNames } from './names/pending-names.ts'
import { Preconfigured } from './mitigations/preconfigured.ts'
import { PutMitigation } from './requests/put-mitigation.ts'
import { RefreshMitigation } from './requests/refresh-mitigation.ts'
import { mitigationEntry } from './mitigations/representation.ts'
import { RequestRouter } from './requests/request-router.ts'
import { ServerSessions } from './sessions/server-sessions.ts'
import type { ServerState } from './server-state.ts'
import { Share } from './sharing/share.ts'
import { TakeOver } from './sharing/take-over.ts'

/**
 * The parts of one server, made and shown to each other in the order in which they listen to the steps of a mitigation:
 * admission, preconfigured requests, watched names, redirected sessions.
 */
export class ServerParts {
  readonly commits: Commits
  readonly observations: Observations
  readonly records: MitigationRecords
  readonly lifecycle: Lifecycle
  readonly admission: Admission
  readonly preconfigured: Preconfigured
  readonly attacks: AttackWatch
  readonly resolution: NameResolution
  readonly names: NameWatch
  readonly config: ConfigResource
  readonly sessions: ServerSessions
  readonly takeOver: TakeOver
  readonly share: Share
  readonly #state: ServerState

  constructor(state: ServerState) {
    this.#state = state
    this.commits = new Commits(state, (key) => this.#isWanted(key))
    this.observations = new Observations(state, (mitigation, now) => this.#describe(mitigation, now))
    this.records = new MitigationRecords(state, this.commits)
    this.lifecycle = new Lifecycle(state, this.records, this.observations)
    this.admission = new Admission(state, this.lifecycle, this.observations)
    this.preconfigured = new Preconfigured(state, this.lifecycle, this.admission)
    this.attacks = new AttackWatch(state, this.lifecycle, this.preconfigured.watch)
    this.resolution = new NameResolution(state)
    this.names = new NameWatch(state, this.lifecycle, this.resolution)
    this.config = new ConfigResource(state, this.observations)
    const router = new RequestRouter(state, this.#mitigationRequests(), this.config)
    this.sessions = new ServerSessions(state, this.observations, this.preconfigured.watch, (request, now) =>
      router.route(request, now)
    )
    this.takeOver = new TakeOver(state, (key) => this.find(key), this)
    this.share = new Share(state, this.lifecycle, this.preconfigured, this.takeOver)
    this.lifecycle.onStep((mitigation, _before, now) => this.sessions.mitigationStepped(mitigation, now))
  }

  /** The mitigation of a record's key: `<cuid>/<mid>`. */
  find(key: string): Mitigation | undefined {
    const slash = key.indexOf('/')
    const client = this.#state.clients.get(key.slice(0, slash) as Cuid)
    return client?.mitigations.get(Number(key.slice(slash + 1)) as MitigationId)
  }

  #mitigationRequests(): MitigationRequests {
    const state = this.#state
    const { lifecycle, admission, records } = this
    const refresh = new RefreshMitigation(state, lifecycle, admission)
    return new MitigationRequests(state, {
      queue: new MutationQueue(state, this.commits, (client, now) => {
        if (client.recheck) lifecycle.recheck(client, now)
        if (client.restamp) records.restamp([client])
        state.clients.release(client)
      }),
      lifecycle,
      put: new PutMitigation(state, lifecycle, admission, this.preconfigured, this.names, refresh),
      refresh,
      get: new GetMitigation(this.observations, (mitigation, now) => this.#describe(mitigation, now)),
      names: new PendingNames(state, this.resolution)
    })
  }

  #describe(mitigation: Mitigation, now: Instant): MitigationScopeEntry {
    const reading =
      isInForce(mitigation) || mitigation.state.kind === 'terminating'
        ? this.lifecycle.enforcement.drops(mitigation.planId)
        : undefined
    const drops = reading === undefined ? undefined : { reading, readAt: this.#state.wallAt(reading.readAt) }
    return mitigationEntry(mitigation, { drops, conflict: this.admission.describe(mitigation, now) }, now)
  }

  #isWanted(key: string): boolean {
    const client = this.#state.clients.get(key.slice(0, key.indexOf('/')) as Cuid)
    return this.find(key) !== undefined || (client !== undefined && isChanging(client, key))
  }
}
