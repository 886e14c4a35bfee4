import { Code, OptionNumber, codeClass, findOption } from '@breakwater/coap'
import type { CoapResponse } from '@breakwater/coap'
import { Seconds, after } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import { MitigationStatusCode } from '@breakwater/model'
import { sameTarget } from '../../domain/target.ts'
import { targetKey } from '../../multihoming/compiler.ts'
import { targetsOverlap } from '../../multihoming/overlap.ts'
import type { Trigger } from '../../signal/mapper.ts'
import { readPutAnswer, readReports } from './answer.ts'
import type { MitigationReport, PutAnswer } from './answer.ts'
import { randomCuid } from '../cuid.ts'
import { isAboutSession } from '../session/errand.ts'
import type { Errand } from '../session/errand.ts'
import { isAskedNoMore, isIdTaken, isRenumberable, mayBeKnown, triggeredBy } from './request-entry.ts'
import type { RequestEntry } from './request-entry.ts'
import type { RequestLedger } from './request-ledger.ts'
import { isInForce } from './request-state.ts'
import { secondsToWait } from './retry-after.ts'

const VANISHING_PAUSE: Duration = Seconds(60)

/** A server that says "conflict" to every id has another reason than the id. */
const MOST_RENUMBERINGS = 2

/** What the server's answers and notifications make of the requests. */
export class RequestAnswers {
  readonly #ledger: RequestLedger

  constructor(ledger: RequestLedger) {
    this.#ledger = ledger
  }

  take(errand: Errand, response: CoapResponse, now: Instant): void {
    if (isAboutSession(errand)) return
    if (errand.kind === 'list') {
      this.#listed(response, now)
      return
    }
    const entry = this.#ledger.find(errand.mitigationId)
    if (entry === undefined) return
    switch (errand.kind) {
      case 'put':
        this.#putAnswered(entry, this.#read(entry, response), now)
        return
      case 'efficacy':
        this.#efficacyAnswered(entry, this.#read(entry, response), now)
        return
      case 'delete':
        this.#deleteAnswered(entry, response, now)
        return
      case 'observe':
        this.#observed(entry, response, now)
    }
  }

  /** What it says; how long we are to wait is as long as makes sense. */
  #read(entry: RequestEntry, response: CoapResponse): PutAnswer {
    const answer = readPutAnswer(response)
    const isPutOff = answer.kind === 'unavailable' || answer.kind === 'conflict'
    if (!isPutOff || answer.retryAfterSeconds === undefined) {
      entry.putOffs = 0
      return answer
    }
    return { ...answer, retryAfterSeconds: secondsToWait(answer.retryAfterSeconds, entry.putOffs++) }
  }

  #putAnswered(entry: RequestEntry, answer: PutAnswer, now: Instant): void {
    if (entry.state.kind === 'asking' && answer.kind === 'conflict' && this.#resolve(entry, answer, now))
      return
    // An earlier life of ours may have given this id to another target: the list will tell.
    if (entry.state.kind === 'asking' && answer.kind === 'refused' && entry.renumberings < MOST_RENUMBERINGS)
      this.#ledger.watchAll()
    if (answer.kind === 'granted') entry.conflict = answer.conflict
    this.#ledger.step(entry, { kind: 'put-answer', answer }, now)
  }

  /** RFC 9132 §4.4.3: an efficacy update is a refresh, too. */
  #efficacyAnswered(entry: RequestEntry, answer: PutAnswer, now: Instant): void {
    if (answer.kind === 'granted' && answer.lifetime !== undefined)
      this.#ledger.step(entry, { kind: 'renewed', lifetime: answer.lifetime }, now)
    // The server cannot perform the mitigation now: Max-Age says when to say it again.
    entry.efficacy =
      answer.kind === 'unavailable' && entry.efficacy !== undefined
        ? { ...entry.efficacy, kind: 'put-off', until: after(now, Seconds(answer.retryAfterSeconds)) }
        : undefined
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
      this.#ledger.watchAll()
      return false
    }
    this.#ledger.ids.raiseTo(answer.mitigationId)
    this.#renumber(entry, now)
    return true
  }

  /** RFC 9132 §4.4.1.1: a new cuid, unless mitigations are active under the old one. */
  #changeCuid(entry: RequestEntry, now: Instant): boolean {
    const { coordination, entropy } = this.#ledger
    if (coordination.hasAnyInForce || entry.renumberings++ >= MOST_RENUMBERINGS) return false
    coordination.changeCuid(randomCuid(entropy), now)
    return true
  }

  #renumber(entry: RequestEntry, now: Instant): void {
    this.#ledger.act(entry, 'forget-put')
    this.#ledger.unnote(entry.mitigationId)
    this.#ledger.over(entry, now)
    entry.askedAt = undefined
    const { coordination } = this.#ledger
    const there = coordination.askedElsewhere(this.#ledger, entry.trigger).get(targetKey(entry.target))
    const isHigher = there !== undefined && there.mitigationId > entry.mitigationId
    entry.mitigationId = isHigher ? there.mitigationId : this.#ledger.nextId(now)
    entry.needsNumber = false
    entry.state = { kind: 'waiting', maybeKnown: isHigher && there.maybeKnown }
    if (this.#ledger.hasSession) this.#ledger.step(entry, { kind: 'session-up' }, now)
  }

  #deleteAnswered(entry: RequestEntry, response: CoapResponse, now: Instant): void {
    const answer = this.#read(entry, response)
    const retryAfterSeconds = answer.kind === 'unavailable' ? answer.retryAfterSeconds : undefined
    this.#ledger.step(entry, { kind: 'delete-answer', retryAfterSeconds }, now)
  }

  #observed(entry: RequestEntry, response: CoapResponse, now: Instant): void {
    // RFC 9132 §4.4.2: the server has no such mitigation.
    if (response.code === Code.notFound) this.#vanished(entry, now)
    const report = readReports(response)?.find((each) => each.mitigationId === entry.mitigationId)
    if (report !== undefined) this.#report(entry, report, now)
  }

  /** A server that grants and then denies, over and over, is not asked in a loop. */
  #vanished(entry: RequestEntry, now: Instant): void {
    if (isAskedNoMore(entry) || entry.replacedBy?.some((other) => mayBeKnown(other.state)) === true) {
      this.#ledger.step(entry, { kind: 'superseded' }, now)
      return
    }
    const pausedUntil = entry.vanishedAt === undefined ? now : after(entry.vanishedAt, VANISHING_PAUSE)
    const retryAt = pausedUntil > now ? pausedUntil : undefined
    if (retryAt === undefined) entry.vanishedAt = now
    this.#ledger.step(entry, { kind: 'vanished', retryAt }, now)
  }

  #report(entry: RequestEntry, report: MitigationReport, now: Instant): void {
    // Before the PUT is answered, the id may still be another's: see `isIdTaken`.
    const isOurs = report.target !== undefined && sameTarget(report.target, entry.target)
    if (entry.state.kind === 'asking' && !isOurs) return
    entry.report = report
    if (entry.triggered !== undefined && report.status !== undefined)
      entry.triggered = triggeredBy(report.status)
    entry.conflict = report.conflict
    // Wanted all the same: a refresh that got lost is asked for anew.
    if (isOver(report, entry.trigger) && entry.state.kind !== 'withdrawing') this.#vanished(entry, now)
    else this.#ledger.step(entry, { kind: 'report', report }, now)
    this.#ledger.changed(entry)
  }

  #listed(response: CoapResponse, now: Instant): void {
    const reports = readReports(response)
    // A notification may have been on its way before the answer to a PUT: what it does not name is not missing.
    const isWhole = this.#ledger.watch !== 'watched'
    this.#ledger.watch = watchAfter(response)
    if (this.#ledger.watch !== 'watched') this.#ledger.observeRest()
    if (reports === undefined && response.code !== Code.notFound) return
    for (const report of reports ?? []) this.#ledger.ids.raiseTo(report.mitigationId)
    for (const entry of this.#ledger.entries) {
      const report = reports?.find((each) => each.mitigationId === entry.mitigationId)
      if (entry.renumberings < MOST_RENUMBERINGS && isIdTaken(entry, report)) {
        entry.renumberings++
        this.#renumber(entry, now)
      } else if (report !== undefined) this.#report(entry, report, now)
      else if (entry.needsNumber && isRenumberable(entry)) this.#renumber(entry, now)
      else if (isWhole && isInForce(entry.state)) this.#vanished(entry, now)
    }
    for (const report of reports ?? []) this.#endOvertaken(report, now)
  }

  /** What came to the server behind our DELETE; a newer request with common addresses ends it by itself (§4.4.1.3). */
  #endOvertaken(report: MitigationReport, now: Instant): void {
    if (this.#ledger.find(report.mitigationId) !== undefined) return
    const request = this.#ledger.overtaken.find(report, now)
    if (request === undefined) return
    // It has moved to a server that shares what it knows with this one (RFC 9284 §5.4).
    if (this.#ledger.coordination.isWantedElsewhere(this.#ledger, report.mitigationId)) return
    const isCovered = [...this.#ledger.entries].some(
      (entry) => entry.trigger === request.trigger && targetsOverlap(entry.target, request.target)
    )
    if (!isCovered) this.#ledger.withdrawAgain(request, now)
  }
}

/**
 * Whether the server has let go of it for good. By 7 without a conflict it made room for a preconfigured request while it
 * heard nothing of us (RFC 9132 §4.4.1.3); with a conflict, it may come back.
 */
function isOver({ status, conflict }: MitigationReport, trigger: Trigger): boolean {
  const isPreempted = status === MitigationStatusCode.attackMitigationWithdrawn && conflict === undefined
  return (
    status === MitigationStatusCode.attackMitigationTerminated || (isPreempted && trigger === 'immediate')
  )
}

function watchAfter(response: CoapResponse): RequestLedger['watch'] {
  // RFC 7641 §4.1: nothing is there that could be observed; with the first mitigation there will be.
  if (response.code === Code.notFound) return 'unwatched'
  // It does, but not now.
  if (codeClass(response.code) === 5 || response.code === Code.tooManyRequests) return 'unwatched'
  const isObserved = findOption(response.options, OptionNumber.observe) !== undefined
  return response.code === Code.content && isObserved ? 'watched' : 'unavailable'
}
