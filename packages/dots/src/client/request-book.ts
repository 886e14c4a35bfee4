import { Code } from '@breakwater/coap'
import type { CoapRequest, CoapResponse } from '@breakwater/coap'
import { Seconds, after, earlier, fraction } from '@breakwater/core'
import type { Duration, Entropy, Instant } from '@breakwater/core'
import { MitigationStatusCode } from '@breakwater/model'
import type { Cuid, MitigationId, ProtectionId } from '../domain/identifier.ts'
import type { Target } from '../domain/target.ts'
import { compileRequests } from '../multihoming/compiler.ts'
import type { CompiledRequest, Want } from '../multihoming/compiler.ts'
import { difference } from '../multihoming/difference.ts'
import { targetsOverlap } from '../multihoming/overlap.ts'
import type { Lifetime } from '../signal/lifetime.ts'
import { readPutAnswer, readReports } from './answer.ts'
import type { MitigationReport, PutAnswer } from './answer.ts'
import type { Calendar } from './calendar.ts'
import { randomCuid } from './cuid.ts'
import { deleteRequest, listRequest, observeRequest, putRequest } from './errand.ts'
import type { Errand } from './errand.ts'
import { MitigationIds } from './mitigation-id.ts'
import { dueAt, isInForce, step } from './mitigation-request.ts'
import type { RequestAction, RequestEvent, RequestState } from './mitigation-request.ts'
import { doomedAmong, isIdTaken, isLetGo, isRenumberable, mayBeKnown } from './request-entry.ts'
import type { RequestEntry } from './request-entry.ts'

/** What a live protection wants of this server. */
export interface LastingWant extends Want {
  readonly lifetime: Lifetime
}

/** One mitigation request, as it stands. */
export interface BookedRequest {
  readonly mitigationId: MitigationId
  readonly target: Target
  readonly lifetime: Lifetime
  /** Whom it serves. */
  readonly protections: readonly ProtectionId[]
  readonly state: RequestState
  /** It is to go as soon as one of these is in force; undefined: it is wanted. */
  readonly replacedBy: readonly MitigationId[] | undefined
  /** The server's last word on it. */
  readonly report: MitigationReport | undefined
}

export type RequestBookOutput =
  | { readonly kind: 'ask'; readonly errand: Errand; readonly request: CoapRequest }
  | { readonly kind: 'forget'; readonly errand: Errand }
  /** Something that these protections may depend on is different now. */
  | { readonly kind: 'changed'; readonly protections: readonly ProtectionId[] }
  | { readonly kind: 'cuid-changed'; readonly cuid: Cuid }

type Lifetimes = ReadonlyMap<ProtectionId, Lifetime>

const VANISHING_PAUSE: Duration = Seconds(60)

/** A server that says "conflict" to every id has another reason than the id. */
const MOST_RENUMBERINGS = 2

/** The mitigation requests at one server: what is wanted, compiled; what stands; and what turns one into the other. */
export class RequestBook {
  readonly #entropy: Entropy
  readonly #calendar: Calendar
  readonly #ids = new MitigationIds()
  readonly #entries = new Set<RequestEntry>()
  readonly #outputs: RequestBookOutput[] = []
  #cuid: Cuid
  #hasSession = false

  constructor(cuid: Cuid, calendar: Calendar, entropy: Entropy) {
    this.#cuid = cuid
    this.#calendar = calendar
    this.#entropy = entropy
  }

  get cuid(): Cuid {
    return this.#cuid
  }

  get requests(): readonly BookedRequest[] {
    return [...this.#entries].map((entry) => {
      const replacedBy = entry.replacedBy?.map((other) => other.mitigationId)
      return { ...entry, replacedBy }
    })
  }

  poll(): RequestBookOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    let next: Instant | undefined
    for (const entry of this.#entries) next = earlier(next, dueAt(entry.state))
    return next
  }

  handleTimeout(now: Instant): void {
    for (const entry of this.#entries) this.#step(entry, { kind: 'due' }, now)
    this.#settle(now)
  }

  /** Everything that live protections want of this server, at once: the difference is asked and withdrawn. */
  want(wants: readonly LastingWant[], now: Instant): void {
    this.#giveUpRefused(wants, now)
    const live = [...this.#entries].filter((entry) => entry.state.kind !== 'withdrawing')
    const known = live.filter((entry) => mayBeKnown(entry.state)).map((entry) => entry.target)
    const wanted = compileRequests(wants, known)
    const doomed = doomedAmong([...this.#entries])
    const found = difference(
      live.filter((entry) => !doomed.has(entry)),
      wanted
    )
    const lifetimes = new Map(wants.map((want) => [want.protection, want.lifetime]))
    const entries = new Map<CompiledRequest, RequestEntry>()
    const byId = new Map(live.map((entry) => [entry.mitigationId, entry]))
    for (const { mitigationId, request } of found.kept) {
      const entry = byId.get(mitigationId)
      if (entry !== undefined) entries.set(request, this.#keep(entry, request, lifetimes, now))
    }
    for (const request of found.added) entries.set(request, this.#add(request, lifetimes, now))
    for (const { mitigationId, replacedBy } of found.retired) {
      const entry = byId.get(mitigationId)
      const replacements = replacedBy.flatMap((request) => entries.get(request) ?? [])
      if (entry !== undefined) this.#retire(entry, replacements)
    }
    for (const entry of doomed) {
      if (entry.state.kind === 'withdrawing') continue
      const replacements = wanted.filter((request) => targetsOverlap(request.target, entry.target))
      this.#retire(
        entry,
        replacements.flatMap((request) => entries.get(request) ?? [])
      )
    }
    // New before old (RFC 9132 §4.4.1.3 deletes the old ones by the new).
    if (this.#hasSession)
      for (const request of found.added) this.#stepIfThere(entries.get(request), { kind: 'session-up' }, now)
    this.#settle(now)
  }

  /** A session is there: everything that waits goes out at once. */
  sessionUp(now: Instant): void {
    this.#hasSession = true
    // Even when nothing is asked: ids of an earlier life of ours must stay below the next one.
    this.#ask({ kind: 'list' }, listRequest(this.#cuid))
    for (const entry of this.#entries) if (!isLetGo(entry)) this.#step(entry, { kind: 'session-up' }, now)
  }

  sessionDown(now: Instant): void {
    this.#hasSession = false
    for (const entry of this.#entries) this.#step(entry, { kind: 'session-down' }, now)
  }

  answer(errand: Errand, response: CoapResponse, now: Instant): void {
    switch (errand.kind) {
      case 'put':
        this.#putAnswered(this.#find(errand.mitigationId), readPutAnswer(response), now)
        break
      case 'delete':
        this.#deleteAnswered(this.#find(errand.mitigationId), response, now)
        break
      case 'observe':
        this.#reported(this.#find(errand.mitigationId), response, now)
        break
      case 'list':
        this.#listed(response, now)
        break
    }
    this.#settle(now)
  }

  #find(id: MitigationId): RequestEntry | undefined {
    for (const entry of this.#entries) if (entry.mitigationId === id) return entry
    return undefined
  }

  #retire(entry: RequestEntry, replacements: readonly RequestEntry[]): void {
    entry.replacedBy = replacements
    this.#outputs.push({ kind: 'changed', protections: entry.protections })
    // Nobody wants it any more: another copy of its PUT could only take the place of what is still good.
    if (entry.state.kind === 'asking') this.#act(entry, 'forget-put')
    // Nor is it asked again when the server has time for it; what takes its place or the DELETE ends it.
    if (entry.state.kind === 'refused' && mayBeKnown(entry.state))
      entry.state = { kind: 'waiting', maybeKnown: true }
  }

  #keep(entry: RequestEntry, request: CompiledRequest, lifetimes: Lifetimes, now: Instant): RequestEntry {
    entry.protections = request.protections
    entry.lifetime = longest(request, lifetimes)
    const isAskedAgain = isLetGo(entry)
    entry.replacedBy = undefined
    if (isAskedAgain && this.#hasSession) this.#step(entry, { kind: 'session-up' }, now)
    return entry
  }

  #add(request: CompiledRequest, lifetimes: Lifetimes, now: Instant): RequestEntry {
    const entry: RequestEntry = {
      mitigationId: this.#ids.next(this.#calendar.at(now), this.#entries.size === 0),
      target: request.target,
      lifetime: longest(request, lifetimes),
      protections: request.protections,
      state: { kind: 'waiting', maybeKnown: false },
      replacedBy: undefined,
      report: undefined,
      renumberings: 0,
      needsNumber: false,
      vanishedAt: undefined
    }
    this.#entries.add(entry)
    this.#outputs.push({ kind: 'changed', protections: entry.protections })
    return entry
  }

  /** A protection that is new has not been refused yet: what was refused to others is asked once more for it. */
  #giveUpRefused(wants: readonly LastingWant[], now: Instant): void {
    const served = new Set([...this.#entries].flatMap((entry) => entry.protections))
    const newcomers = wants.filter((want) => !served.has(want.protection))
    for (const entry of this.#entries)
      if (
        entry.state.kind === 'refused' &&
        entry.state.retryAt === undefined &&
        newcomers.some((want) => targetsOverlap(want.target, entry.target))
      )
        this.#step(entry, { kind: 'retire' }, now)
  }

  /** Lets go of what has been replaced, and withdraws what has no replacement. */
  #settle(now: Instant): void {
    for (const entry of this.#entries) {
      if (entry.replacedBy === undefined || entry.state.kind === 'withdrawing') continue
      const replacements = entry.replacedBy.filter((other) => this.#entries.has(other))
      if (replacements.some((other) => isInForce(other.state) && other.mitigationId > entry.mitigationId))
        this.#step(entry, { kind: 'superseded' }, now)
      else if (replacements.length === 0 || !mayBeKnown(entry.state))
        this.#step(entry, { kind: 'retire' }, now)
    }
  }

  #stepIfThere(entry: RequestEntry | undefined, event: RequestEvent, now: Instant): void {
    if (entry !== undefined) this.#step(entry, event, now)
  }

  #step(entry: RequestEntry, event: RequestEvent, now: Instant): void {
    const { state, actions } = step(entry.state, event, {
      now,
      hasSession: this.#hasSession,
      asked: entry.lifetime,
      jitter: fraction(this.#entropy)
    })
    const hasChanged = state.kind !== entry.state.kind
    entry.state = state
    if (state.kind === 'ended') this.#entries.delete(entry)
    for (const action of actions) this.#act(entry, action)
    if (hasChanged) this.#outputs.push({ kind: 'changed', protections: entry.protections })
  }

  #act(entry: RequestEntry, action: RequestAction): void {
    const { mitigationId, target, lifetime } = entry
    switch (action) {
      case 'put':
        this.#ask({ kind: 'put', mitigationId }, putRequest(this.#cuid, mitigationId, target, lifetime))
        return
      case 'observe':
        this.#ask({ kind: 'observe', mitigationId }, observeRequest(this.#cuid, mitigationId))
        return
      case 'delete':
        this.#ask({ kind: 'delete', mitigationId }, deleteRequest(this.#cuid, mitigationId))
        return
      case 'forget-put':
        this.#outputs.push({ kind: 'forget', errand: { kind: 'put', mitigationId } })
        return
      case 'forget-observe':
        this.#outputs.push({ kind: 'forget', errand: { kind: 'observe', mitigationId } })
        return
      case 'forget-delete':
        this.#outputs.push({ kind: 'forget', errand: { kind: 'delete', mitigationId } })
    }
  }

  #ask(errand: Errand, request: CoapRequest): void {
    this.#outputs.push({ kind: 'ask', errand, request })
  }

  #putAnswered(entry: RequestEntry | undefined, answer: PutAnswer, now: Instant): void {
    if (entry === undefined) return
    if (entry.state.kind === 'asking' && answer.kind === 'conflict' && this.#resolve(entry, answer, now))
      return
    // An earlier life of ours may have given this id to another target: the list will tell.
    if (entry.state.kind === 'asking' && answer.kind === 'refused' && entry.renumberings < MOST_RENUMBERINGS)
      this.#ask({ kind: 'list' }, listRequest(this.#cuid))
    this.#step(entry, { kind: 'put-answer', answer }, now)
  }

  /** Conflicts that are of our own making. @returns whether the request is on its way again. */
  #resolve(entry: RequestEntry, answer: PutAnswer & { readonly kind: 'conflict' }, now: Instant): boolean {
    if (answer.cause === 'cuid-collision') return this.#changeCuid(entry, now)
    // With a retry-timer it is another client's request that is in the way (RFC 9132 §4.4.1.3).
    if (answer.cause !== 'overlapping-targets' || answer.retryAfterSeconds !== undefined) return false
    if (entry.renumberings >= MOST_RENUMBERINGS || entry.replacedBy !== undefined) return false
    entry.renumberings++
    if (answer.mitigationId === undefined) {
      entry.needsNumber = true
      this.#ask({ kind: 'list' }, listRequest(this.#cuid))
      return false
    }
    this.#ids.raiseTo(answer.mitigationId)
    this.#renumber(entry, now)
    return true
  }

  /** RFC 9132 §4.4.1.1: a new cuid, unless mitigations are active under the old one. */
  #changeCuid(entry: RequestEntry, now: Instant): boolean {
    if ([...this.#entries].some((other) => isInForce(other.state))) return false
    if (entry.renumberings++ >= MOST_RENUMBERINGS) return false
    this.#cuid = randomCuid(this.#entropy)
    this.#outputs.push({ kind: 'cuid-changed', cuid: this.#cuid })
    for (const other of this.#entries)
      if (other.state.kind === 'asking' && !isLetGo(other)) this.#step(other, { kind: 'session-up' }, now)
    return true
  }

  #renumber(entry: RequestEntry, now: Instant): void {
    this.#act(entry, 'forget-put')
    entry.mitigationId = this.#ids.next(this.#calendar.at(now), false)
    entry.needsNumber = false
    entry.state = { kind: 'waiting', maybeKnown: false }
    if (this.#hasSession) this.#step(entry, { kind: 'session-up' }, now)
  }

  #deleteAnswered(entry: RequestEntry | undefined, response: CoapResponse, now: Instant): void {
    if (entry === undefined) return
    const answer = readPutAnswer(response)
    const retryAfterSeconds = answer.kind === 'unavailable' ? answer.retryAfterSeconds : undefined
    this.#step(entry, { kind: 'delete-answer', retryAfterSeconds }, now)
  }

  #reported(entry: RequestEntry | undefined, response: CoapResponse, now: Instant): void {
    if (entry === undefined) return
    const reports = readReports(response)
    // RFC 9132 §4.4.2: the server has no such mitigation.
    if (response.code === Code.notFound) this.#vanished(entry, now)
    const report = reports?.find((each) => each.mitigationId === entry.mitigationId)
    if (report !== undefined) this.#report(entry, report, now)
  }

  /** A server that grants and then denies, over and over, is not asked in a loop. */
  #vanished(entry: RequestEntry, now: Instant): void {
    if (entry.replacedBy?.some((other) => mayBeKnown(other.state)) === true) {
      this.#step(entry, { kind: 'superseded' }, now)
      return
    }
    const pausedUntil = entry.vanishedAt === undefined ? now : after(entry.vanishedAt, VANISHING_PAUSE)
    const retryAt = pausedUntil > now ? pausedUntil : undefined
    if (retryAt === undefined) entry.vanishedAt = now
    this.#step(entry, { kind: 'vanished', retryAt }, now)
  }

  #report(entry: RequestEntry, report: MitigationReport, now: Instant): void {
    entry.report = report
    // Wanted all the same: a refresh that got lost is asked for anew.
    if (report.status === MitigationStatusCode.attackMitigationTerminated) this.#vanished(entry, now)
    else this.#step(entry, { kind: 'report', report }, now)
    this.#outputs.push({ kind: 'changed', protections: entry.protections })
  }

  #listed(response: CoapResponse, now: Instant): void {
    const reports = readReports(response)
    if (reports === undefined && response.code !== Code.notFound) return
    for (const report of reports ?? []) this.#ids.raiseTo(report.mitigationId)
    for (const entry of this.#entries) {
      const report = reports?.find((each) => each.mitigationId === entry.mitigationId)
      if (entry.renumberings < MOST_RENUMBERINGS && isIdTaken(entry, report)) {
        entry.renumberings++
        this.#renumber(entry, now)
      } else if (report !== undefined) this.#report(entry, report, now)
      else if (entry.needsNumber && isRenumberable(entry)) this.#renumber(entry, now)
      else if (isInForce(entry.state)) this.#vanished(entry, now)
    }
  }
}

/** A request lasts as long as the longest of the protections that it serves. */
function longest(request: CompiledRequest, lifetimes: Lifetimes): Lifetime {
  let seconds = 0
  for (const protection of request.protections) {
    const lifetime = lifetimes.get(protection) ?? 0
    if (lifetime === 'indefinite') return lifetime
    seconds = Math.max(seconds, lifetime)
  }
  return seconds
}
