import { inSeconds, between } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { Cuid, DomainName, MitigationId, ProtectionId, ServerName } from '../domain/identifier.ts'
import type { Target } from '../domain/target.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import type { Trigger } from '../signal/mapper.ts'
import type { ConflictCause } from './requests/answer.ts'
import type { Association } from './association.ts'
import type { Refusal, RequestState } from './requests/request-state.ts'
import { pathReport } from './path-report.ts'
import type { PathReport } from './path-report.ts'
import type { StandByMode } from './paths/stand-by.ts'
import type { CandidateReport } from './connection/race-report.ts'
import type { RedirectReport } from './redirection/redirect-following.ts'
import type { ProtectionStatus } from './protection.ts'
import type { BookedRequest } from './requests/booked-request.ts'
import type { SessionState } from './connection/session-state.ts'

/** Everything that `dots status` shows, as plain data. */
export interface ClientStatus {
  readonly sessions: readonly SessionReport[]
  readonly protections: readonly ProtectionStatus[]
  readonly requests: readonly RequestReport[]
}

/** The session with one server. */
export interface SessionReport {
  readonly server: ServerName
  readonly domain: DomainName
  readonly cuid: Cuid
  readonly state: SessionState['kind']
  /** What stands in the way, where something does. */
  readonly text: string
  /** The path in use or being tried. */
  readonly path: PathReport | undefined
  /** The path of a second session, and what that carries; undefined: there is none. */
  readonly standBy: { readonly path: PathReport; readonly mode: StandByMode } | undefined
  /** It stands by for this one, which is asked in its stead; undefined: it is asked itself. */
  readonly standsByFor: ServerName | undefined
  /** For how long it has been in this state, where that is known. */
  readonly sinceSeconds: number | undefined
  /** How long ago anything came from the server. */
  readonly heardSecondsAgo: number | undefined
  readonly retryInSeconds: number | undefined
  readonly roundTripMilliseconds: number | undefined
  /** The Happy Eyeballs run under way (RFC 9132 §4.3), or what the last one taught; empty: neither. */
  readonly candidates: readonly CandidateReport[]
  /** Until UDP is tried again beside a session over TCP. */
  readonly udpProbeInSeconds: number | undefined
  /** Where the server sends us, and whether we got there (RFC 9132 §4.6); undefined: nowhere. */
  readonly redirect: RedirectReport | undefined
  /** What it goes by now (RFC 9132 §4.5). */
  readonly parameters: SessionParameters | undefined
  /** Which of its two sets that is. */
  readonly activity: 'idle' | 'mitigating'
}

/** One mitigation request at one server. */
export interface RequestReport {
  readonly server: ServerName
  readonly domain: DomainName
  readonly mitigationId: MitigationId
  readonly trigger: Trigger
  readonly target: Target
  readonly protections: readonly ProtectionId[]
  readonly state: RequestState['kind']
  readonly refusal: Refusal | undefined
  /** Another client's request conflicts with it, as the server says. */
  readonly conflict: ConflictCause | undefined
  /** RFC 9132 §4.4.2, Table 3: what the server said last. */
  readonly status: number | undefined
  /** Undefined: not granted, or indefinite (see `isIndefinite`). */
  readonly remainingSeconds: number | undefined
  readonly isIndefinite: boolean
  /** Undefined: the server does not count. */
  readonly bytesDropped: bigint | undefined
  readonly packetsDropped: bigint | undefined
  readonly isBeingReplaced: boolean
}

/** How the session with one server stands. */
export function reportSession(
  association: Association,
  now: Instant,
  standsByFor?: ServerName
): SessionReport {
  const { state, server, cuid } = association
  const { nextProbeAt, standingBy } = association
  const common = {
    server: server.name,
    domain: server.domain,
    cuid,
    standsByFor,
    activity: association.isMitigating ? ('mitigating' as const) : ('idle' as const),
    candidates: association.candidates(now),
    redirect: association.redirect,
    standBy:
      standingBy === undefined
        ? undefined
        : { path: pathReport(standingBy.session.path), mode: standingBy.mode },
    udpProbeInSeconds: nextProbeAt === undefined ? undefined : seconds(now, nextProbeAt)
  }
  const nothing = {
    text: '',
    path: undefined,
    sinceSeconds: undefined,
    heardSecondsAgo: undefined,
    retryInSeconds: undefined,
    roundTripMilliseconds: undefined,
    parameters: undefined
  }
  switch (state.kind) {
    case 'stopped':
      // Of several that stand in for one another, one is asked and one stands by: the others are left alone.
      return {
        ...common,
        ...nothing,
        state: state.kind,
        text: standsByFor === undefined ? '' : 'a spare one, without a session'
      }
    case 'no-path':
      return { ...common, ...nothing, state: state.kind, text: state.reasons.join('; ') }
    case 'pausing': {
      const retryInSeconds = seconds(now, state.until)
      return { ...common, ...nothing, state: state.kind, text: state.reason, retryInSeconds }
    }
    case 'connecting': {
      const sinceSeconds = seconds(state.race.since, now)
      const path = state.race.run.running.at(0)?.path
      return { ...common, ...nothing, state: state.kind, path: path && pathReport(path), sinceSeconds }
    }
    case 'established':
    case 'silent':
      return {
        ...common,
        ...nothing,
        state: state.kind,
        text: state.kind === 'silent' ? 'heartbeats get no answer; kept because an attack is on' : '',
        path: pathReport(state.path),
        sinceSeconds: seconds(state.since, now),
        heardSecondsAgo: seconds(state.session.heardAt, now),
        roundTripMilliseconds: state.session.roundTrip,
        parameters: association.parametersOf(state.session)
      }
  }
}

/** How the requests at one server stand. */
export function reportRequests(association: Association, now: Instant): RequestReport[] {
  const { server } = association
  return association.requests.map((request) => {
    return { server: server.name, domain: server.domain, ...reportRequest(request, now) }
  })
}

function reportRequest(request: BookedRequest, now: Instant): Omit<RequestReport, 'server' | 'domain'> {
  const { state, report } = request
  const isGranted = state.kind === 'in-force' || state.kind === 'refreshing'
  const until = isGranted ? state.until : undefined
  return {
    mitigationId: request.mitigationId,
    trigger: request.trigger,
    target: request.target,
    protections: request.protections,
    state: state.kind,
    conflict: request.conflict,
    refusal: state.kind === 'refused' ? state.refusal : undefined,
    status: report?.status,
    remainingSeconds: until === undefined ? undefined : Math.max(0, seconds(now, until)),
    isIndefinite: isGranted && until === undefined,
    bytesDropped: report?.bytesDropped,
    packetsDropped: report?.packetsDropped,
    isBeingReplaced: request.replacedBy !== undefined
  }
}

function seconds(from: Instant, to: Instant): number {
  return inSeconds(between(from, to))
}
