import type { CoapResponse } from '@breakwater/coap'
import { Seconds, after, earlier } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { Cuid, ProtectionId } from '../../domain/identifier.ts'
import type { Target } from '../../domain/target.ts'
import { targetKey } from '../../multihoming/compiler.ts'
import type { CompiledRequest } from '../../multihoming/compiler.ts'
import { difference } from '../../multihoming/difference.ts'
import { OverlapIndex } from '../../multihoming/overlap-index.ts'
import type { AttackStatus } from '../../signal/efficacy-update.ts'
import type { Trigger } from '../../signal/mapper.ts'
import type { ServerLegacy } from '../memory/client-records.ts'
import { efficacyRequest } from '../session/errand.ts'
import type { Errand } from '../session/errand.ts'
import type { AskedElsewhere } from './coordination.ts'
import { fitToPath } from './fit-to-path.ts'
import type { BookedRequest } from './booked-request.ts'
import type { Fit } from './fit-to-path.ts'
import { Holds, compileAround } from './holds.ts'
import type { Handover } from './holds.ts'
import { RequestAnswers } from './request-answers.ts'
import {
  doomedAmong,
  isAskedNoMore,
  isBecauseOfAttack,
  isLetGo,
  mayBeKnown,
  mayBeTriggered,
  newEntry
} from './request-entry.ts'
import type { RequestEntry } from './request-entry.ts'
import { longest } from './longest-lifetime.ts'
import type { LastingWant } from './lasting-want.ts'
import type { Lifetimes } from './longest-lifetime.ts'
import { RequestLedger } from './request-ledger.ts'
import type { LedgerOptions, RequestBookOutput } from './request-ledger.ts'
import { resumedState } from './request-memory.ts'
import { dueAt, isInForce, isRunOut, isUnanswered } from './request-state.ts'

/** RFC 9132 §4.4.3: an update about a mitigation that has ended gets no answer, so it is not repeated for ever. */
const EFFICACY_PATIENCE: Duration = Seconds(30)

/** The mitigation requests at one server: what is wanted, compiled; what stands; and what turns one into the other. */
export class RequestBook {
  readonly #ledger: RequestLedger
  readonly #answers: RequestAnswers
  #wants: readonly LastingWant[] = []
  readonly #holds = new Holds()
  /** Everything here was given up for the ids to restart. */
  #awaitsRestart = false

  constructor(options: LedgerOptions) {
    this.#ledger = new RequestLedger(options)
    this.#answers = new RequestAnswers(this.#ledger)
  }

  /** Another server of its group has made something of what stands here. @param isLeaving This one is of it no more. */
  coordinate(now: Instant, isLeaving = false): void {
    if (isLeaving) this.#ledger.coordination.leave(this.#ledger)
    this.#ledger.isStirred = false
    if (this.#isToBeFitted(now)) this.#compileAll(now)
    this.#settle(now)
  }

  get cuid(): Cuid {
    return this.#ledger.cuid
  }

  /** A mitigation is in force. */
  get isMitigating(): boolean {
    for (const entry of this.#ledger.entries)
      if (isInForce(entry.state) && isBecauseOfAttack(entry)) return true
    return false
  }

  /** Something that is wanted has no answer yet. */
  get isAsking(): boolean {
    for (const { state, replacedBy } of this.#ledger.entries)
      if (replacedBy === undefined && (state.kind === 'asking' || state.kind === 'waiting')) return true
    return false
  }

  /** Something is asked of the server because of an attack. */
  get isUnderAttack(): boolean {
    for (const entry of this.#ledger.entries) if (isBecauseOfAttack(entry)) return true
    return false
  }

  /** The server matters now: an attack is on, or it has not answered what it was asked. */
  get isWaiting(): boolean {
    return this.isUnderAttack || [...this.#ledger.entries].some(({ state }) => isUnanswered(state))
  }

  get requests(): readonly BookedRequest[] {
    return [...this.#ledger.entries].map((entry) => {
      const replacedBy = entry.replacedBy?.map((other) => other.mitigationId)
      return { ...entry, replacedBy }
    })
  }

  poll(): RequestBookOutput | undefined {
    return this.#ledger.poll()
  }

  nextTimeout(): Instant | undefined {
    let next = this.#ledger.overtaken.nextTimeout()
    for (const { state, efficacy, heldUntil } of this.#ledger.entries)
      next = earlier(
        next,
        earlier(earlier(dueAt(state), efficacy?.until), isInForce(state) ? heldUntil : undefined)
      )
    return next
  }

  handleTimeout(now: Instant): void {
    const { overtaken, hasSession, watch } = this.#ledger
    if (overtaken.handleTimeout(now) && hasSession && watch !== 'watched') this.#ledger.watchAll()
    for (const entry of this.#ledger.entries) {
      if (entry.efficacy !== undefined && entry.efficacy.until <= now) this.#efficacyDue(entry, now)
      if (isInForce(entry.state) && isAskedNoMore(entry)) this.#endAskedNoMore(entry, now)
      else this.#ledger.step(entry, { kind: 'due' }, now)
    }
    this.#settle(now)
  }

  /**
   * Refreshes one request that is in force before its time, to find out whether the server answers; RFC 9132 §4.4.1.3 leaves open
   * when. Nothing, while something else has no answer: that tells as much.
   */
  refreshOne(now: Instant): void {
    const entries = [...this.#ledger.entries]
    if (!this.#ledger.hasSession || entries.some(({ state }) => isUnanswered(state))) return
    const found = entries.find(
      (entry) =>
        entry.trigger === 'immediate' &&
        entry.replacedBy === undefined &&
        !isAskedNoMore(entry) &&
        isInForce(entry.state)
    )
    if (found?.state.kind !== 'in-force') return
    found.state = { ...found.state, refreshAt: now }
    this.#ledger.step(found, { kind: 'due' }, now)
  }

  /** What is not to be refreshed ends at the latest when its refresh is due; what is held then makes room first. */
  #endAskedNoMore(entry: RequestEntry, now: Instant): void {
    const due = dueAt(entry.state)
    if (due === undefined || due > now) return
    if (mayBeTriggered(entry) && !isRunOut(entry.state, now)) {
      this.#ledger.step(entry, { kind: 'due' }, now)
      return
    }
    const { heldUntil } = entry
    entry.heldUntil = heldUntil && now
    entry.triggered = undefined
    if (heldUntil === undefined) this.#ledger.step(entry, { kind: 'retire' }, now)
    else this.#outlive(entry, now)
  }

  /** RFC 9284 §5.1: the server may not hear of all of these targets any more. What is wanted of it is said next. */
  narrow(mayHear: (target: Target) => boolean, now: Instant): void {
    for (const entry of this.#ledger.entries) {
      entry.isForeign = !mayHear(entry.target)
      if (!entry.isForeign) continue
      this.#forgetEfficacy(entry)
      if (entry.state.kind !== 'refreshing') continue
      this.#ledger.act(entry, 'forget-put')
      this.#outlive(entry, now)
    }
  }

  /** It is not refreshed, and stays for as long as the server has granted. */
  #outlive(entry: RequestEntry, now: Instant): void {
    const { state } = entry
    if (state.kind !== 'in-force' && state.kind !== 'refreshing') return
    const { until } = state
    entry.state = { kind: 'in-force', until, refreshAt: until }
    this.#ledger.note(entry, now)
  }

  /**
   * Everything that is wanted of this server, at once: the difference is asked and withdrawn.
   * @param holdUntil What is in force and wanted here no more stays until then: it has moved to another server. Undefined:
   * as was said before.
   */
  want(wants: readonly LastingWant[], now: Instant, { holdUntil, keepsTriggered }: Handover = {}): void {
    this.#wants = wants
    if (holdUntil !== undefined) this.#holds.begin(this.#ledger.entries, holdUntil, keepsTriggered)
    this.#giveUpRefused(wants, now)
    // RFC 9132 §4.4.1.3: only requests of one trigger type override each other.
    for (const trigger of ['immediate', 'signal-loss'] as const) this.#compile(trigger, now)
    if (keepsTriggered === true) this.#ledger.askWhatIsTriggered()
    this.#settle(now)
  }

  /** By what the paths are said to carry, where that is less than planned. */
  #fitted(
    compiled: readonly CompiledRequest[],
    { wants, trigger, known }: Pick<Fit, 'wants' | 'known'> & { readonly trigger: Trigger },
    now: Instant
  ): readonly CompiledRequest[] {
    const { coordination } = this.#ledger
    const carriedBytes = coordination.pathMtu.said(now)
    if (carriedBytes >= coordination.pathMtu.planned()) return compiled
    const inForce = coordination.inForce(trigger)
    return fitToPath(compiled, { wants, inForce, known, carriedBytes })
  }

  /** What the paths are said to carry may be less than what waits for an answer: that is asked for in smaller parts. */
  refit(now: Instant): void {
    if (!this.#isToBeFitted(now)) return
    this.#compileAll(now)
    this.#settle(now)
    // The parts are to be the same everywhere, or those of one would take the place of the other's.
    this.#ledger.coordination.stirOthers(this.#ledger)
  }

  #isToBeFitted(now: Instant): boolean {
    const { pathMtu } = this.#ledger.coordination
    return this.isAsking && pathMtu.said(now) < pathMtu.planned()
  }

  #compile(trigger: Trigger, now: Instant): void {
    const wants = this.#wants.filter((want) => want.trigger === trigger)
    const all = [...this.#ledger.entries].filter((entry) => entry.trigger === trigger)
    const live = all.filter((entry) => entry.state.kind !== 'withdrawing')
    // Also what is being withdrawn: until the server has heard of that, a new request takes all of it away.
    const known = all.filter((entry) => mayBeKnown(entry.state)).map((entry) => entry.target)
    const doomed = doomedAmong(all)
    const held = this.#holds.among(live, wants, now).filter((entry) => !doomed.has(entry))
    const plannedMtu = this.#ledger.coordination.pathMtu.planned()
    const { wanted: compiled, staying } = compileAround(held, wants, known, plannedMtu)
    const wanted = this.#fitted(compiled, { wants, trigger, known }, now)
    const found = difference(
      live.filter((entry) => !doomed.has(entry)),
      wanted
    )
    const lifetimes = new Map(wants.map((want) => [want.protection, want.lifetime]))
    const entries = new Map<CompiledRequest, RequestEntry>()
    const byId = new Map(live.map((entry) => [entry.mitigationId, entry]))
    for (const { mitigationId, request } of found.kept) {
      const entry = byId.get(mitigationId)
      if (entry === undefined) continue
      entries.set(request, entry)
      if (staying.has(entry)) this.#stay(entry, request, now)
      else this.#keep(entry, request, lifetimes, now)
    }
    const elsewhere = this.#ledger.coordination.askedElsewhere(this.#ledger, trigger)
    for (const request of found.added) {
      const there = elsewhere.get(targetKey(request.target))
      entries.set(request, this.#add(request, trigger, there, lifetimes, now))
    }
    for (const { mitigationId, replacedBy } of found.retired) {
      const entry = byId.get(mitigationId)
      const replacements = replacedBy.flatMap((request) => entries.get(request) ?? [])
      if (entry !== undefined) this.#retire(entry, replacements)
    }
    const index = new OverlapIndex(wanted)
    for (const entry of doomed) {
      if (entry.state.kind === 'withdrawing') continue
      const replacements = index.overlapping(entry.target)
      this.#retire(
        entry,
        replacements.flatMap((request) => entries.get(request) ?? [])
      )
    }
    for (const entry of all)
      if (entry.state.kind === 'withdrawing') {
        const heirs = index.overlapping(entry.target)
        this.#bequeath(
          entry,
          heirs.flatMap((request) => entries.get(request) ?? []),
          now
        )
      }
    // New before old (RFC 9132 §4.4.1.3 deletes the old ones by the new).
    if (!this.#ledger.hasSession) return
    for (const request of found.added) {
      const entry = entries.get(request)
      if (entry !== undefined) this.#ledger.step(entry, { kind: 'session-up' }, now)
    }
  }

  /**
   * Takes up what an earlier life of the client asked of this server, if there was one, and sets ids aside: before any is
   * used in this one. What live protections want is said next.
   */
  resume(legacy: ServerLegacy | undefined, now: Instant): void {
    const isOurs = legacy !== undefined && this.#ledger.resume(legacy.numbering)
    this.#ledger.ids.reserve(this.#ledger.calendar.at(now))
    this.#ledger.coordination.noteNumbering()
    for (const record of legacy?.records ?? []) {
      const state = isOurs ? resumedState(record, this.#ledger.calendar, now) : undefined
      if (state === undefined) this.#ledger.unnote(record.mitigationId)
      else this.#ledger.adopt(record, state)
    }
  }

  /** What it would leave to a later life. */
  legacy(): ServerLegacy {
    return this.#ledger.legacy()
  }

  /** A session is there: everything that waits goes out at once. */
  sessionUp(now: Instant): void {
    this.#ledger.hasSession = true
    this.#ledger.coordination.sessionsChanged(now)
    // Even when nothing is asked: ids of an earlier life of ours must stay below the next one.
    this.#ledger.watchAll()
    for (const entry of this.#ledger.entries)
      if (!isLetGo(entry) && !(isInForce(entry.state) && isAskedNoMore(entry)))
        this.#ledger.step(entry, { kind: 'session-up' }, now)
  }

  sessionDown(now: Instant): void {
    this.#ledger.hasSession = false
    this.#ledger.forgetObservations()
    for (const entry of this.#ledger.entries) {
      entry.efficacy = undefined
      this.#ledger.step(entry, { kind: 'session-down' }, now)
    }
    this.#ledger.coordination.sessionsChanged(now)
  }

  answer(errand: Errand, response: CoapResponse, now: Instant): void {
    this.#answers.take(errand, response, now)
    this.#settle(now)
  }

  /**
   * Tells the server what we see of the attack (RFC 9132 §4.4.3), for every mitigation in force that serves the protection.
   * @returns how many that are.
   */
  updateEfficacy(protection: ProtectionId, attackStatus: AttackStatus, now: Instant): number {
    if (!this.#ledger.hasSession) return 0
    const concerned = [...this.#ledger.entries].filter(
      // An update names the target, too (RFC 9132 §4.4.3, RFC 9284 §5.1).
      (entry) => isInForce(entry.state) && !entry.isForeign && entry.protections.includes(protection)
    )
    for (const entry of concerned)
      if (entry.efficacy?.kind === 'put-off') entry.efficacy = { ...entry.efficacy, attackStatus }
      else this.#tellEfficacy(entry, attackStatus, now)
    return concerned.length
  }

  #tellEfficacy(entry: RequestEntry, attackStatus: AttackStatus, now: Instant): void {
    const { mitigationId, target, lifetime } = entry
    entry.efficacy = { kind: 'asking', attackStatus, until: after(now, EFFICACY_PATIENCE) }
    const request = efficacyRequest(this.cuid, mitigationId, target, lifetime, attackStatus)
    this.#ledger.ask({ kind: 'efficacy', mitigationId }, request)
  }

  #efficacyDue(entry: RequestEntry, now: Instant): void {
    const { efficacy } = entry
    if (efficacy?.kind === 'put-off' && isInForce(entry.state) && this.#ledger.hasSession)
      this.#tellEfficacy(entry, efficacy.attackStatus, now)
    else this.#forgetEfficacy(entry)
  }

  #forgetEfficacy(entry: RequestEntry): void {
    entry.efficacy = undefined
    this.#ledger.forget({ kind: 'efficacy', mitigationId: entry.mitigationId })
  }

  #retire(entry: RequestEntry, replacements: readonly RequestEntry[]): void {
    entry.replacedBy = replacements
    entry.heldUntil = undefined
    entry.triggered = undefined
    this.#ledger.changed(entry)
    // Nobody wants it any more: another copy of its PUT could only take the place of what is still good.
    if (entry.state.kind === 'asking') this.#ledger.act(entry, 'forget-put')
    // Nor is it asked again when the server has time for it; what takes its place or the DELETE ends it.
    if (entry.state.kind === 'refused' && mayBeKnown(entry.state))
      entry.state = { kind: 'waiting', maybeKnown: true }
  }

  /**
   * A part of what is being withdrawn is wanted again: its DELETE, where it has no answer yet, would take away what may
   * still be in force. The newer request ends it instead.
   */
  #bequeath(entry: RequestEntry, heirs: readonly RequestEntry[], now: Instant): void {
    const newer = heirs.filter((heir) => heir.mitigationId > entry.mitigationId)
    if (newer.length === 0) return
    this.#ledger.act(entry, 'forget-delete')
    entry.state = { kind: 'waiting', maybeKnown: true }
    this.#ledger.note(entry, now)
    this.#retire(entry, newer)
  }

  /** It has moved, all of it or a part, and protects what it did until the hold is over. */
  #stay(entry: RequestEntry, { protections }: CompiledRequest, now: Instant): void {
    // Whom it serves no longer may be over now.
    this.#ledger.changed(entry)
    entry.protections = protections
    entry.replacedBy = []
    this.#ledger.note(entry, now)
    this.#ledger.changed(entry)
  }

  #keep(entry: RequestEntry, request: CompiledRequest, lifetimes: Lifetimes, now: Instant): void {
    const left = entry.protections.filter((id) => !request.protections.includes(id))
    if (left.length > 0) this.#ledger.changed(entry)
    entry.protections = request.protections
    entry.lifetime = longest(request, lifetimes)
    this.#ledger.note(entry, now)
    const isAskedAgain = isLetGo(entry)
    entry.replacedBy = undefined
    entry.heldUntil = undefined
    entry.triggered = undefined
    if (isAskedAgain && this.#ledger.hasSession) this.#ledger.step(entry, { kind: 'session-up' }, now)
  }

  /** @param there The same request, where another server that shares what it knows with this one is asked for it. */
  #add(
    request: CompiledRequest,
    trigger: Trigger,
    there: AskedElsewhere | undefined,
    lifetimes: Lifetimes,
    now: Instant
  ): RequestEntry {
    const { target, protections } = request
    const lifetime = longest(request, lifetimes)
    const mitigationId = there?.mitigationId ?? this.#ledger.nextId(now)
    const maybeKnown = there?.maybeKnown ?? false
    const entry = newEntry(
      { mitigationId, trigger, target, protections, lifetime },
      this.#ledger.retryTimers.stateOf(target, trigger, now) ?? { kind: 'waiting', maybeKnown }
    )
    this.#ledger.entries.add(entry)
    this.#ledger.changed(entry)
    return entry
  }

  /** A protection that is new has not been refused yet: what was refused to others is asked once more for it. */
  #giveUpRefused(wants: readonly LastingWant[], now: Instant): void {
    const served = new Set([...this.#ledger.entries].flatMap((entry) => entry.protections))
    const newcomers = new OverlapIndex(wants.filter((want) => !served.has(want.protection)))
    for (const entry of this.#ledger.entries)
      if (
        entry.state.kind === 'refused' &&
        entry.state.retryAt === undefined &&
        newcomers.overlapping(entry.target).some((want) => want.trigger === entry.trigger)
      )
        this.#ledger.step(entry, { kind: 'retire' }, now)
  }

  /**
   * RFC 9132 §4.4.1.1: ids that have come far restart at 0 when no attack is on, and with them the standing requests. These
   * go first, for the server rejects a lower id that overlaps with a higher one (§4.4.1.3).
   */
  #rollOver(now: Instant): void {
    const { entries, coordination, hasSession } = this.#ledger
    if (!coordination.ids.isExhausted) {
      if (this.#awaitsRestart) this.#compileAll(now)
      this.#awaitsRestart = false
      return
    }
    if (coordination.isUnderAttack || !hasSession || !coordination.isHeardEverywhere) return
    for (const entry of entries) this.#ledger.step(entry, { kind: 'retire' }, now)
    this.#awaitsRestart = true
    if (!coordination.isQuiet) return
    coordination.restart()
    this.#awaitsRestart = false
    this.#compileAll(now)
  }

  #compileAll(now: Instant): void {
    for (const trigger of ['immediate', 'signal-loss'] as const) this.#compile(trigger, now)
  }

  /** What was asked for with something that has moved is asked for by itself now. */
  #endHolds(now: Instant): void {
    if (this.#holds.end(this.#ledger.entries, now)) this.#compileAll(now)
  }

  /** Lets go of what has been replaced, and withdraws what has no replacement. */
  #settle(now: Instant): void {
    this.#endHolds(now)
    for (const entry of this.#ledger.entries) {
      if (entry.replacedBy === undefined || entry.state.kind === 'withdrawing') continue
      if (entry.heldUntil !== undefined) continue
      const replacements = entry.replacedBy.filter((other) => this.#ledger.entries.has(other))
      if (replacements.some((other) => isInForce(other.state) && other.mitigationId > entry.mitigationId))
        this.#ledger.step(entry, { kind: 'superseded' }, now)
      else if (replacements.length === 0 || !mayBeKnown(entry.state))
        this.#ledger.step(entry, { kind: 'retire' }, now)
    }
    this.#rollOver(now)
  }
}
