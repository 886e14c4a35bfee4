import type { CoapRequest } from '@breakwater/coap'
import { Queue, fraction } from '@breakwater/core'
import type { Entropy, Instant } from '@breakwater/core'
import type { Cuid, MitigationId, ProtectionId } from '../../domain/identifier.ts'
import type { Calendar } from '../memory/calendar.ts'
import type { ServerLegacy } from '../memory/client-records.ts'
import { deleteRequest, listRequest, observeRequest, putRequest } from '../session/errand.ts'
import type { Errand } from '../session/errand.ts'
import { Coordination } from './coordination.ts'
import type { PathMtu } from './fit-to-path.ts'
import type { MitigationIds } from './mitigation-id.ts'
import { step } from './mitigation-request.ts'
import { OvertakenRequests } from './overtaken.ts'
import type { OvertakenRequest } from './overtaken.ts'
import { isLetGo, newEntry } from './request-entry.ts'
import type { RequestEntry } from './request-entry.ts'
import { recordOf, saysTheSame } from './request-memory.ts'
import type { NumberingRecord, RequestRecord } from './request-record.ts'
import { isInForce, isPutOut } from './request-state.ts'
import type { RequestState, Until } from './request-state.ts'
import { RetryTimers } from './retry-timers.ts'
import { endOf } from './request-step.ts'
import type { RequestAction, RequestEvent } from './request-step.ts'

export type RequestBookOutput =
  | { readonly kind: 'ask'; readonly errand: Errand; readonly request: CoapRequest }
  | { readonly kind: 'forget'; readonly errand: Errand }
  /** Something that these protections may depend on is different now. */
  | { readonly kind: 'changed'; readonly protections: readonly ProtectionId[] }
  | { readonly kind: 'cuid-changed'; readonly cuid: Cuid }
  /** To be stored where a restart finds it; `record` undefined: to be forgotten. */
  | {
      readonly kind: 'note-request'
      readonly mitigationId: MitigationId
      readonly record: RequestRecord | undefined
    }
  | { readonly kind: 'note-numbering'; readonly record: NumberingRecord }

/**
 * Where we stand with the observation of all our mitigations:
 * `unwatched`: no observation, another try may help; `asked`: no answer yet; `watched`: the server tells of changes;
 * `unavailable`: this server does not, in this session.
 */
export type CollectionWatch = 'unwatched' | 'asked' | 'watched' | 'unavailable'

/**
 * Mitigations that are observed one by one beside the observation of all, for small answers that get through a full link.
 * A server bounds observations and sends one datagram at a time: of more, the observation of all tells.
 */
export const MOST_SINGLE_OBSERVATIONS = 16

/** What the requests at one server are made of. */
export interface LedgerOptions {
  readonly cuid: Cuid
  readonly calendar: Calendar
  readonly entropy: Entropy
  readonly pathMtu: PathMtu
  /** Of the servers that share what they are asked (RFC 9284 §5.4). Undefined: this one does with nobody. */
  readonly coordination?: Coordination | undefined
}

/** The requests at one server by their ids, and what their steps make us do there. */
export class RequestLedger {
  readonly calendar: Calendar
  readonly entropy: Entropy
  /** With servers that share what they are asked; else with itself. */
  readonly coordination: Coordination
  readonly retryTimers: RetryTimers = new RetryTimers()
  readonly overtaken: OvertakenRequests = new OvertakenRequests()
  readonly entries: Set<RequestEntry> = new Set()
  cuid: Cuid
  hasSession = false
  watch: CollectionWatch = 'unwatched'
  readonly pathMtu: PathMtu
  /** Another server of the group has made something of what stands here: to be looked at. */
  isStirred = false
  /** Of the client's credential. */
  readonly configured: Cuid
  /** Those that are observed one by one, beside the observation of all. */
  readonly #single = new Set<MitigationId>()
  readonly #noted = new Map<MitigationId, RequestRecord>()
  #notedUpTo: number | undefined
  #notedCuid: Cuid | undefined
  readonly #outputs = new Queue<RequestBookOutput>()

  constructor({ cuid, calendar, entropy, pathMtu, coordination = new Coordination() }: LedgerOptions) {
    this.configured = cuid
    this.cuid = cuid
    this.calendar = calendar
    this.entropy = entropy
    this.pathMtu = pathMtu
    this.coordination = coordination
    coordination.join(this)
  }

  poll(): RequestBookOutput | undefined {
    return this.#outputs.shift()
  }

  find(id: MitigationId): RequestEntry | undefined {
    for (const entry of this.entries) if (entry.mitigationId === id) return entry
    return undefined
  }

  get ids(): MitigationIds {
    return this.coordination.ids
  }

  nextId(now: Instant): MitigationId {
    const id = this.ids.next(this.calendar.at(now), this.coordination.isQuiet)
    this.coordination.noteNumbering()
    return id
  }

  step(entry: RequestEntry, asked: RequestEvent, now: Instant): void {
    const isLeft = asked.kind === 'retire' && this.coordination.leaveTo(this, entry, now)
    const event: RequestEvent = isLeft ? { kind: 'superseded' } : asked
    const { state, actions } = step(entry.state, event, {
      now,
      hasSession: this.hasSession,
      asked: entry.lifetime,
      trigger: entry.trigger,
      jitter: fraction(this.entropy)
    })
    const hasChanged = state.kind !== entry.state.kind
    const isNew = state !== entry.state
    if (isPutOut(entry.state)) entry.askedAt = now
    const before = entry.state
    entry.state = state
    if (state.kind === 'ended') {
      this.entries.delete(entry)
      this.over(entry, now)
    }
    if (state.kind === 'refused') this.retryTimers.putOff(entry.target, entry.trigger, state)
    // Before what is sent because of it.
    if (isNew) this.note(entry, now)
    for (const action of actions) this.act(entry, action)
    if (hasChanged) this.changed(entry)
    this.#tellGroup(entry, before, now)
  }

  /** What the withdrawal of a request at one server is to the others (RFC 9284 §5.4). */
  #tellGroup(entry: RequestEntry, before: RequestState, now: Instant): void {
    const { mitigationId, state } = entry
    if (before.kind !== 'withdrawing') this.coordination.withdrawEverywhere(this, entry, now)
    if (before.kind === 'withdrawing' && state.kind === 'ended' && state.reason === 'withdrawn')
      this.coordination.withdrawn(this, mitigationId, now)
  }

  /** Nothing is wanted under its id any more. */
  over(entry: RequestEntry, now: Instant): void {
    if (entry.askedAt !== undefined) this.overtaken.add(entry, entry.askedAt, now)
  }

  /** Withdraws once more what came to the server after it was over. */
  withdrawAgain(request: OvertakenRequest, now: Instant): void {
    this.overtaken.withdrawn(request, now)
    this.withdraw(request, endOf(request.lifetime, now), now)
  }

  /** Withdraws what this server has though nothing here stands for it. @param until When it ends by itself. */
  withdraw(request: OvertakenRequest, until: Until, now: Instant): void {
    const entry = newEntry(request, { kind: 'withdrawing', until, retryAt: undefined })
    this.entries.add(entry)
    this.note(entry, now)
    this.act(entry, 'delete')
    this.changed(entry)
  }

  act(entry: RequestEntry, action: RequestAction): void {
    const { mitigationId, target, lifetime, trigger } = entry
    switch (action) {
      case 'put':
        this.ask(
          { kind: 'put', mitigationId },
          putRequest(this.cuid, mitigationId, target, lifetime, trigger)
        )
        // Where there was nothing to observe before, there is now.
        if (this.watch === 'unwatched') this.watchAll()
        return
      case 'observe':
        this.#observe(mitigationId)
        return
      case 'delete':
        this.ask({ kind: 'delete', mitigationId }, deleteRequest(this.cuid, mitigationId))
        return
      case 'forget-put':
        this.forget({ kind: 'put', mitigationId })
        return
      case 'forget-observe':
        this.#single.delete(mitigationId)
        this.forget({ kind: 'observe', mitigationId })
        return
      case 'forget-delete':
        this.forget({ kind: 'delete', mitigationId })
    }
  }

  /** What the observation of all is to tell of, and cannot: each is asked about by itself. */
  observeRest(): void {
    for (const { mitigationId, state } of this.entries)
      if (isInForce(state) && !this.#single.has(mitigationId)) this.#observe(mitigationId)
  }

  /**
   * What the server said before the session was lost, or while it did not hear us, does not count: each is asked about, however
   * many are observed one by one.
   */
  askWhatIsTriggered(): void {
    if (!this.hasSession) return
    for (const { triggered, heldUntil, mitigationId } of this.entries) {
      if (triggered !== 'unknown' || heldUntil === undefined) continue
      this.#single.add(mitigationId)
      this.ask({ kind: 'observe', mitigationId }, observeRequest(this.cuid, mitigationId))
    }
  }

  /** A new session knows of no observation. */
  forgetObservations(): void {
    this.watch = 'unwatched'
    this.#single.clear()
  }

  #observe(mitigationId: MitigationId): void {
    const isToldAnyway = this.watch === 'asked' || this.watch === 'watched'
    if (isToldAnyway && this.#single.size >= MOST_SINGLE_OBSERVATIONS && !this.#single.has(mitigationId))
      return
    this.#single.add(mitigationId)
    this.ask({ kind: 'observe', mitigationId }, observeRequest(this.cuid, mitigationId))
  }

  ask(errand: Errand, request: CoapRequest): void {
    this.#outputs.push({ kind: 'ask', errand, request })
  }

  forget(errand: Errand): void {
    this.#outputs.push({ kind: 'forget', errand })
  }

  /** Asks for all mitigations of our cuid, and to be told of changes. */
  watchAll(): void {
    this.watch = 'asked'
    this.ask({ kind: 'list' }, listRequest(this.cuid))
  }

  /** What this request is for may stand differently now. */
  changed({ protections }: RequestEntry): void {
    this.#outputs.push({ kind: 'changed', protections })
  }

  /** Remembers how a request stands, where that differs from what is remembered. */
  note(entry: RequestEntry, now: Instant): void {
    const { mitigationId } = entry
    const record = recordOf(entry, this.calendar, now)
    const before = this.#noted.get(mitigationId)
    if (record === undefined) {
      if (before !== undefined) this.unnote(mitigationId)
    } else if (before === undefined || !saysTheSame(before, record)) {
      this.#noted.set(mitigationId, record)
      this.#outputs.push({ kind: 'note-request', mitigationId, record })
    }
  }

  /** Nothing goes by this id any more. */
  unnote(mitigationId: MitigationId): void {
    this.#noted.delete(mitigationId)
    this.#outputs.push({ kind: 'note-request', mitigationId, record: undefined })
  }

  /** Remembers which ids may have been used: before they are. */
  noteNumbering(): void {
    const { reservation } = this.ids
    if (reservation === undefined) return
    if (reservation.upTo === this.#notedUpTo && this.cuid === this.#notedCuid) return
    this.#notedUpTo = reservation.upTo
    this.#notedCuid = this.cuid
    this.isStirred = true
    const record = { configured: this.configured, cuid: this.cuid, reservation }
    this.#outputs.push({ kind: 'note-numbering', record })
  }

  /** Takes up a request of an earlier life. */
  adopt(record: RequestRecord, state: RequestState): void {
    this.#noted.set(record.mitigationId, record)
    const entry = newEntry(record, state)
    this.entries.add(entry)
    this.changed(entry)
  }

  /** Takes up the numbering of an earlier life. @returns whether its requests are ours. */
  resume({ configured, cuid, reservation }: NumberingRecord): boolean {
    if (configured !== this.configured) return false
    if (cuid !== configured) this.coordination.agreeOn(configured, cuid)
    this.ids.resume(reservation)
    return true
  }

  /** What another ledger of the same server, later in this process, goes on from. */
  legacy(): ServerLegacy {
    const numbering = { configured: this.configured, cuid: this.cuid, reservation: this.ids.used }
    return { numbering, records: [...this.#noted.values()] }
  }

  changeCuid(cuid: Cuid, now: Instant): void {
    this.cuid = cuid
    this.overtaken.clear()
    this.noteNumbering()
    this.#outputs.push({ kind: 'cuid-changed', cuid })
    for (const entry of this.entries)
      if (entry.state.kind === 'asking' && !isLetGo(entry)) this.step(entry, { kind: 'session-up' }, now)
  }
}
