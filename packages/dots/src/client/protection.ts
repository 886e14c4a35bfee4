import { prefixKey, prefixesOverlap } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { MitigationStatusCode } from '@breakwater/model'
import type { NamedTarget } from '../domain/alias.ts'
import type { AskingPolicy } from '../domain/asking-policy.ts'
import type { DomainName, MitigationId, ProtectionId, ServerName } from '../domain/identifier.ts'
import type { Target } from '../domain/target.ts'
import type { Assignment, PlacedPart, Placement } from '../multihoming/placement.ts'
import type { AttackStatus } from '../signal/efficacy-update.ts'
import type { Lifetime } from '../signal/lifetime.ts'
import { disagreementOf } from './disagreement.ts'
import type { Saying } from './disagreement.ts'
import type { Association } from './association.ts'
import type { NameStanding } from './names/name-standing.ts'
import { isInForce } from './requests/request-state.ts'
import { TurnRecord } from './turn-record.ts'
import type { BookedRequest } from './requests/booked-request.ts'

/** When a protection that is not complete is an alarm: any server missing, or no server at all for some part. */
export type Requirement = 'all' | 'any'

/** What the operator wants. */
export interface ProtectionRequest {
  readonly id: ProtectionId
  readonly target: Target
  /** What it is for besides; ports and protocols of `target` narrow these names, too. */
  readonly named?: NamedTarget
  /** Asked of every server; renewed until the protection is released. */
  readonly lifetime: Lifetime
  readonly allowPartial: boolean
  readonly require: Requirement
  /** Which servers are asked about prefixes of the site's own. Default: `all`. */
  readonly policy?: AskingPolicy
}

/** The combined state: what the servers' answers come to. */
export type ProtectionState =
  | 'planned'
  | 'asking'
  | 'protected'
  | 'partly-protected'
  | 'waiting'
  | 'refused'
  | 'ending'
  | 'ended'

/** Where one server stands with one protection. Servers that disagree are shown as they are. */
export interface ServerStanding {
  readonly server: ServerName
  readonly domain: DomainName
  /** Its part of what is to be protected. */
  readonly prefixes: readonly IpPrefix[]
  readonly state: 'planned' | 'asking' | 'in-force' | 'waiting' | 'refused' | 'conflict'
  /** Why it was asked. */
  readonly because: string
  /** What it said or what we wait for. */
  readonly text: string
  readonly mitigationIds: readonly MitigationId[]
}

/** What a protection lacks. */
export interface MissingPart {
  readonly kind:
    | 'asking'
    | 'waiting'
    | 'refused'
    | 'conflict'
    | 'uncovered'
    | 'foreign'
    | 'filtered'
    | 'outdated'
  /** Undefined: of nobody's network. */
  readonly domain: DomainName | undefined
  readonly server: ServerName | undefined
  readonly text: string
}

/** How a protection stands with all servers that were to hear of it. */
export interface ProtectionStatus {
  readonly id: ProtectionId
  readonly state: ProtectionState
  /** Something is missing that the requirement does not allow to be missing, and is not just being asked. */
  readonly alarm: boolean
  readonly target: Target
  readonly named: NamedTarget | undefined
  /** What its names mean now, those of its URIs and aliases, too. */
  readonly names: readonly NameStanding[]
  readonly require: Requirement
  readonly policy: AskingPolicy
  readonly servers: readonly ServerStanding[]
  readonly missing: readonly MissingPart[]
  /** Servers that do not agree whether they protect the same: who says what. Empty: they agree, as far as they have answered. */
  readonly disagreement: readonly Saying[]
}

/** `released`: waits until the servers have let go of it. */
export type ProtectionPhase = 'live' | 'released' | 'gone'

/** One protection with its placement: made when it is asked for, and dropped when all of it has ended. */
export class Protection {
  readonly request: ProtectionRequest
  phase: ProtectionPhase = 'live'
  /** What the operator says of the attack; undefined: nothing yet. */
  attackStatus: AttackStatus | undefined
  /** The names that it stands or falls with. */
  names: readonly string[] = []
  /** Parts whose servers have all said that the attack is over, by `partKey`. */
  readonly #over = new Set<string>()
  /** How servers have done that had their turn. */
  readonly turns: TurnRecord
  #placement: Placement
  /** Something of it has been placed: what of it is still the site's stays protected when the rest is not any more. */
  #wasPlaced: boolean

  /** @param wasPlaced In an earlier life of the client, too. */
  constructor(request: ProtectionRequest, placement: Placement, wasPlaced = false) {
    this.request = request
    this.turns = new TurnRecord(request.id)
    this.#placement = placement
    this.#wasPlaced = wasPlaced || placement.parts.length > 0
  }

  get placement(): Placement {
    return this.#placement
  }

  /** See `PlacementOptions`. */
  get allowPartial(): boolean {
    return this.request.allowPartial || this.#wasPlaced
  }

  /** Other servers may protect it now. What is over stays over where the same servers say so. */
  placeAgain(placement: Placement): void {
    this.#placement = placement
    this.#wasPlaced ||= placement.parts.length > 0
    const keys = new Set(placement.parts.map(partKey))
    for (const key of this.#over) if (!keys.has(key)) this.#over.delete(key)
  }

  /** Another server of a pool is asked from now on: what is over is over for all that stand in for one another. */
  handOver(placement: Placement): void {
    const over = new Set(this.#placement.parts.filter((part) => this.#isOver(part)).map(prefixesKey))
    for (const part of placement.parts) if (over.has(prefixesKey(part))) this.#over.add(partKey(part))
    this.placeAgain(placement)
  }

  /** Servers that hear of it. */
  get servers(): readonly ServerName[] {
    return [...new Set(this.placement.assignments.map((assignment) => assignment.server))]
  }

  /** Not all are asked that the RFC would have asked. */
  get isInTurn(): boolean {
    return this.phase === 'live' && this.placement.parts.some(({ turn }) => turn !== undefined)
  }

  /** What servers are still asked for. */
  get assignments(): readonly Assignment[] {
    return this.placement.assignments.filter((assignment) => !this.#isOver(assignment.part))
  }

  /**
   * Ends the parts of which every server says that the attack has stopped (RFC 9132 §4.4.2.2): a provider's own prefixes
   * when that provider says so, provider-independent ones when all do. The last part releases the protection, unless some of it still waits.
   * @returns servers that are asked for less now.
   */
  endWhatIsOver(associations: ReadonlyMap<ServerName, Association>): readonly ServerName[] {
    if (this.phase !== 'live') return []
    const open = this.placement.parts.filter((part) => !this.#isOver(part) && part.servers.length > 0)
    const over = open.filter((part) =>
      part.servers.every((server) => saysStopped(this.request.id, part, associations.get(server)))
    )
    for (const part of over) this.#over.add(partKey(part))
    // What still waits for its addresses was never asked for: nobody can say that this is over.
    const isAll = over.length === open.length && this.placement.waiting.length === 0
    if (open.length > 0 && isAll) this.phase = 'released'
    return over.flatMap((part) => part.servers)
  }

  /** Derives the combined state from where every server stands, and what is known of every name. */
  status(
    associations: ReadonlyMap<ServerName, Association>,
    standingOfName: (name: string) => NameStanding
  ): ProtectionStatus {
    const servers = this.assignments.map((assignment) => {
      return standingOf(this.request.id, assignment, associations.get(assignment.server))
    })
    const names = this.phase === 'live' ? this.names.map(standingOfName) : []
    const missing = [
      ...servers.flatMap(missingServer),
      ...this.#missingByPlacement(),
      ...names.filter(({ state }) => state === 'kept').map(outdated)
    ]
    const { id, target, named, require, policy = 'all' } = this.request
    const state = this.#combine(servers, missing)
    const isAlarming = state !== 'ending' && state !== 'ended' && this.#isAlarming(servers, missing)
    const disagreement = disagreementOf(this.placement.parts, servers)
    const wanted = { target, named, names, require, policy }
    return { id, state, alarm: isAlarming, ...wanted, servers, missing, disagreement }
  }

  #isOver(part: PlacedPart): boolean {
    return this.#over.size > 0 && this.#over.has(partKey(part))
  }

  #missingByPlacement(): MissingPart[] {
    const uncovered = this.placement.uncovered.map((each): MissingPart => {
      return { kind: 'uncovered', domain: each.domain, server: undefined, text: each.text }
    })
    const refused = this.placement.refusals.map((each): MissingPart => {
      const kind = each.because === 'filtered' ? 'filtered' : 'foreign'
      return { kind, domain: undefined, server: undefined, text: each.text }
    })
    const waiting = this.placement.waiting.map((each): MissingPart => {
      const kind = each.isUnderWay === true ? 'asking' : 'waiting'
      return { kind, domain: undefined, server: undefined, text: each.text }
    })
    return [...uncovered, ...waiting, ...refused]
  }

  #combine(servers: readonly ServerStanding[], missing: readonly MissingPart[]): ProtectionState {
    if (this.phase !== 'live') return this.phase === 'released' ? 'ending' : 'ended'
    const has = (state: ServerStanding['state']): boolean => servers.some((each) => each.state === state)
    if (servers.length === 0) return this.#waitsWhole ? 'waiting' : 'refused'
    // What a filter leaves to others is nothing that this client lacks; nor does it lack what it knows from before.
    const isWhole = missing.every(({ kind }) => kind === 'filtered' || kind === 'outdated')
    if (has('in-force')) return isWhole ? 'protected' : 'partly-protected'
    if (has('asking')) return 'asking'
    if (has('waiting')) return 'waiting'
    return has('planned') ? 'planned' : 'refused'
  }

  /** Nothing of it can be asked for yet; where a refusal refuses all, it is refused. */
  get #waitsWhole(): boolean {
    const { waiting, refusals } = this.placement
    const isRefused = refusals.some(({ because }) => because !== 'filtered') && !this.allowPartial
    return waiting.length > 0 && !isRefused
  }

  #isAlarming(servers: readonly ServerStanding[], missing: readonly MissingPart[]): boolean {
    if (this.request.require === 'all')
      return missing.some(({ kind }) => kind !== 'asking' && kind !== 'filtered')
    if (missing.some(({ kind, server }) => kind === 'waiting' && server === undefined)) return true
    if (missing.some(({ kind }) => kind === 'foreign')) return true
    const open = this.placement.parts.filter((part) => !this.#isOver(part))
    return open.some((part) => {
      const own = servers.filter((each) => part.servers.includes(each.server))
      return !own.some((each) => each.state === 'in-force' || each.state === 'asking')
    })
  }
}

function outdated({ name, text }: NameStanding): MissingPart {
  const why = `${name} is protected where it was last known to be: ${text}`
  return { kind: 'outdated', domain: undefined, server: undefined, text: why }
}

/** Equal for parts of which the same servers are asked for the same prefixes. */
export function partKey({ prefixes, servers }: PlacedPart): string {
  return JSON.stringify([prefixes.map(prefixKey), servers])
}

function prefixesKey({ prefixes }: PlacedPart): string {
  return JSON.stringify(prefixes.map(prefixKey))
}

/** Whether the server says of all requests that serve this part that their attack has stopped. */
function saysStopped(id: ProtectionId, part: PlacedPart, association: Association | undefined): boolean {
  const requests = association?.standing.serving(id) ?? []
  // Mostly none says so.
  if (!requests.some(isStopped)) return false
  const serving = requests.filter((request) => {
    const touches = request.target.prefixes.some((own) =>
      part.prefixes.some((each) => prefixesOverlap(own, each))
    )
    return touches && request.replacedBy === undefined
  })
  return serving.length > 0 && serving.every(isStopped)
}

function isStopped({ state, report }: BookedRequest): boolean {
  return isInForce(state) && report?.status === MitigationStatusCode.attackStopped
}

function standingOf(
  id: ProtectionId,
  assignment: Assignment,
  association: Association | undefined
): ServerStanding {
  const requests = association?.standing.serving(id) ?? []
  const serving = requests.filter((each) => each.replacedBy === undefined)
  const isCovered = association?.standing.covers(assignment.target) === true
  const state = isCovered ? 'in-force' : worstOf(serving)
  return {
    server: assignment.server,
    domain: assignment.domain,
    prefixes: assignment.target.prefixes,
    state,
    because: assignment.text,
    text: isCovered ? 'the server protects it' : textOf(serving, association),
    mitigationIds: serving.map((each) => each.mitigationId)
  }
}

function worstOf(requests: readonly BookedRequest[]): ServerStanding['state'] {
  const states = requests.map((each) => each.state)
  const refused = states.find((state) => state.kind === 'refused')
  if (refused !== undefined) return refused.refusal.kind === 'conflict' ? 'conflict' : 'refused'
  if (states.some((state) => state.kind === 'waiting')) return 'waiting'
  return states.length === 0 ? 'planned' : 'asking'
}

function textOf(requests: readonly BookedRequest[], association: Association | undefined): string {
  for (const { state } of requests) if (state.kind === 'refused') return state.refusal.text
  switch (association?.state.kind) {
    case undefined:
    case 'stopped':
      return 'the client has not started'
    case 'no-path':
      return 'no legal path leads to the server'
    case 'connecting':
      return 'the session is being established'
    case 'pausing':
      return 'there is no session; it is tried again'
    case 'established':
    case 'silent':
      return 'the server has not answered yet'
  }
}

function missingServer(standing: ServerStanding): MissingPart[] {
  const { state, server, domain, text } = standing
  switch (state) {
    case 'in-force':
      return []
    case 'planned':
      return [{ kind: 'waiting', server, domain, text }]
    case 'asking':
    case 'waiting':
    case 'refused':
    case 'conflict':
      return [{ kind: state, server, domain, text }]
  }
}
