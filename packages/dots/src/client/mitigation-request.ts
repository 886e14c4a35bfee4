import { MitigationStatusCode } from '@breakwater/model'
import { Seconds, after, earlier } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { Lifetime } from '../signal/lifetime.ts'
import type { ConflictCause, MitigationReport, PutAnswer } from './answer.ts'

/**
 * The life of one mitigation request at one server.
 *
 * | state | leaves it on |
 * |---|---|
 * | `waiting`: there is no session | a session |
 * | `asking`: PUT is out and repeated | the server's answer; loss of the session |
 * | `in-force`: the server granted a lifetime | its refresh; the server's word that it is over |
 * | `refreshing`: the same PUT is out again | the server's answer; the end of the lifetime |
 * | `refused`: the server said no | `retryAt`, where it named a time |
 * | `withdrawing`: DELETE is out and repeated | the server's answer; the end of the lifetime |
 * | `ended` | – |
 */
export type RequestState =
  /** `maybeKnown`: it was asked before, so that the server may have it. */
  | { readonly kind: 'waiting'; readonly maybeKnown: boolean }
  | { readonly kind: 'asking' }
  | { readonly kind: 'in-force'; readonly until: Until; readonly refreshAt: Instant | undefined }
  | { readonly kind: 'refreshing'; readonly until: Until }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly retryAt: Instant | undefined }
  /** `retryAt`: the server could not take the DELETE. */
  | { readonly kind: 'withdrawing'; readonly until: Until; readonly retryAt: Instant | undefined }
  | { readonly kind: 'ended'; readonly reason: EndReason }

/** When a mitigation ends unless refreshed; undefined: when it is withdrawn. */
type Until = Instant | undefined

export type EndReason = 'withdrawn' | 'never-asked' | 'superseded' | 'expired'

/** What a server said instead of yes. */
export interface Refusal {
  readonly kind: 'conflict' | 'refused' | 'unavailable' | 'terminated'
  readonly cause?: ConflictCause
  /** In the server's words, with the code. */
  readonly text: string
}

export type RequestEvent =
  | { readonly kind: 'session-up' }
  | { readonly kind: 'session-down' }
  | { readonly kind: 'put-answer'; readonly answer: PutAnswer }
  /** `retryAfterSeconds`: the server could not take it now. */
  | { readonly kind: 'delete-answer'; readonly retryAfterSeconds: number | undefined }
  | { readonly kind: 'report'; readonly report: MitigationReport }
  /** The server does not have the request any more. `retryAt`: it is asked again then; undefined: at once. */
  | { readonly kind: 'vanished'; readonly retryAt: Instant | undefined }
  /** Nobody needs it any more. */
  | { readonly kind: 'retire' }
  /** RFC 9132 §4.4.1.3: a newer one with a common prefix was accepted, so the server deleted this one. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'due' }

/** To be done at the session, where there is one. */
export type RequestAction = 'put' | 'observe' | 'delete' | 'forget-put' | 'forget-observe' | 'forget-delete'

export interface RequestStep {
  readonly state: RequestState
  readonly actions: readonly RequestAction[]
}

/** What a step may depend on besides state and event. */
export interface RequestContext {
  readonly now: Instant
  readonly hasSession: boolean
  /** The lifetime that a PUT names. */
  readonly asked: Lifetime
  /** 0 … 1, by chance: spreads the refreshes of many requests. */
  readonly jitter: number
}

/** The earliest part of a granted lifetime after which it is refreshed, and how far jitter moves that. */
const REFRESH_FROM = 0.6
const REFRESH_SPREAD = 0.1

/** A grant of a second or two must not become a stream of refreshes. */
const LEAST_REFRESH_SECONDS = 3

const ALL_FORGOTTEN: readonly RequestAction[] = ['forget-put', 'forget-observe', 'forget-delete']

/** The next state of a request. */
export function step(state: RequestState, event: RequestEvent, context: RequestContext): RequestStep {
  switch (event.kind) {
    case 'session-up':
      return sessionUp(state, context)
    case 'session-down':
      return sessionDown(state, context)
    case 'put-answer':
      return putAnswer(state, event.answer, context)
    case 'delete-answer':
      return deleteAnswer(state, event.retryAfterSeconds, context)
    case 'report':
      return reported(state, event.report, context)
    case 'vanished':
      return vanished(state, event.retryAt, context)
    case 'retire':
      return retire(state, context)
    case 'superseded':
      return { state: { kind: 'ended', reason: 'superseded' }, actions: ALL_FORGOTTEN }
    case 'due':
      return due(state, context)
  }
}

/** When `due` is to be fed; undefined: never. */
export function dueAt(state: RequestState): Instant | undefined {
  switch (state.kind) {
    case 'in-force':
      return state.refreshAt
    case 'refreshing':
      return state.until
    case 'withdrawing':
      return earlier(state.until, state.retryAt)
    case 'refused':
      return state.retryAt
    case 'waiting':
    case 'asking':
    case 'ended':
      return undefined
  }
}

/** Whether the server has granted it and its time is not over. */
export function isInForce(state: RequestState): boolean {
  return state.kind === 'in-force' || state.kind === 'refreshing'
}

function stay(state: RequestState, ...actions: RequestAction[]): RequestStep {
  return { state, actions }
}

function ask(context: RequestContext, maybeKnown: boolean): RequestStep {
  return context.hasSession
    ? { state: { kind: 'asking' }, actions: ['put'] }
    : { state: { kind: 'waiting', maybeKnown }, actions: [] }
}

function sessionUp(state: RequestState, context: RequestContext): RequestStep {
  switch (state.kind) {
    case 'waiting':
      return ask(context, state.maybeKnown)
    case 'asking':
    case 'refreshing':
      return stay(state, 'put')
    case 'in-force':
      return isRefreshLate(state, context.now)
        ? stay({ kind: 'refreshing', until: state.until }, 'put', 'observe')
        : stay(state, 'observe')
    case 'withdrawing':
      return stay(state, 'delete')
    case 'refused':
    case 'ended':
      return stay(state)
  }
}

/** A refresh that found no session is put off to the end of the lifetime. */
function isRefreshLate(state: RequestState & { readonly kind: 'in-force' }, now: Instant): boolean {
  const { refreshAt, until } = state
  return refreshAt !== undefined && (refreshAt <= now || refreshAt === until)
}

function sessionDown(state: RequestState, context: RequestContext): RequestStep {
  switch (state.kind) {
    case 'asking':
      return stay({ kind: 'waiting', maybeKnown: true })
    case 'refreshing':
      return stay({ kind: 'in-force', until: state.until, refreshAt: context.now })
    case 'waiting':
    case 'in-force':
    case 'withdrawing':
    case 'refused':
    case 'ended':
      return stay(state)
  }
}

function putAnswer(state: RequestState, answer: PutAnswer, context: RequestContext): RequestStep {
  // An answer that comes when nothing is asked any more changes nothing: the DELETE that follows it decides.
  if (state.kind !== 'asking' && state.kind !== 'refreshing') return stay(state)
  switch (answer.kind) {
    case 'granted': {
      const next = granted(answer.lifetime ?? context.asked, context)
      return state.kind === 'asking' ? stay(next, 'observe') : stay(next)
    }
    case 'conflict': {
      const refusal: Refusal = { kind: 'conflict', cause: answer.cause, text: answer.text }
      return refused(refusal, answer.retryAfterSeconds, context)
    }
    case 'refused':
      return refused({ kind: 'refused', text: answer.text }, undefined, context)
    case 'unavailable':
      return unavailable(state, answer, context)
  }
}

/** A refresh that the server cannot serve now leaves in force what it granted before. */
function unavailable(
  state: RequestState & { readonly kind: 'asking' | 'refreshing' },
  answer: PutAnswer & { readonly kind: 'unavailable' },
  context: RequestContext
): RequestStep {
  const retryAt = after(context.now, Seconds(answer.retryAfterSeconds))
  if (state.kind === 'refreshing' && (state.until === undefined || retryAt < state.until))
    return stay({ kind: 'in-force', until: state.until, refreshAt: retryAt })
  return refused({ kind: 'unavailable', text: answer.text }, answer.retryAfterSeconds, context)
}

function refused(
  refusal: Refusal,
  retryAfterSeconds: number | undefined,
  context: RequestContext
): RequestStep {
  // RFC 9132 §4.4.2.1: never again before the retry-timer is over.
  const retryAt = retryAfterSeconds === undefined ? undefined : after(context.now, Seconds(retryAfterSeconds))
  return { state: { kind: 'refused', refusal, retryAt }, actions: ['forget-put', 'forget-observe'] }
}

function granted(lifetime: Lifetime, context: RequestContext): RequestState {
  // RFC 9132 §4.4.1.1: no end, so nothing to refresh.
  if (lifetime === 'indefinite') return { kind: 'in-force', until: undefined, refreshAt: undefined }
  const part = REFRESH_FROM + REFRESH_SPREAD * context.jitter
  const refreshAfter = Math.max(lifetime * part, LEAST_REFRESH_SECONDS)
  return {
    kind: 'in-force',
    until: after(context.now, Seconds(lifetime)),
    refreshAt: after(context.now, Seconds(refreshAfter))
  }
}

function deleteAnswer(
  state: RequestState,
  retryAfterSeconds: number | undefined,
  context: RequestContext
): RequestStep {
  if (state.kind !== 'withdrawing') return stay(state)
  if (retryAfterSeconds === undefined)
    return { state: { kind: 'ended', reason: 'withdrawn' }, actions: ALL_FORGOTTEN }
  return stay({ ...state, retryAt: after(context.now, Seconds(retryAfterSeconds)) })
}

function reported(state: RequestState, report: MitigationReport, context: RequestContext): RequestStep {
  switch (state.kind) {
    case 'in-force':
    case 'refreshing':
      return reportedInForce(state, report, context)
    case 'refused':
      // RFC 9132 §4.4.1.3: a deactivated request may be activated again when the conflict is over.
      return isActive(report.status) && state.refusal.kind === 'conflict'
        ? stay(granted(report.lifetime ?? 0, context))
        : stay(state)
    case 'waiting':
    case 'asking':
    case 'withdrawing':
    case 'ended':
      return stay(state)
  }
}

function reportedInForce(
  state: RequestState & { readonly kind: 'in-force' | 'refreshing' },
  report: MitigationReport,
  context: RequestContext
): RequestStep {
  if (report.status === MitigationStatusCode.attackMitigationWithdrawn) {
    const text = 'the server withdrew it because of a conflict'
    return {
      // The observation stays: it will tell when the conflict is over.
      state: refused({ kind: 'conflict', text }, report.retryAfterSeconds, context).state,
      actions: ['forget-put']
    }
  }
  if (report.lifetime === undefined) return stay(state)
  const until = endOf(report.lifetime, context.now)
  if (state.kind === 'refreshing') return stay({ kind: 'refreshing', until })
  // The server cut it short: the refresh planned for later would come too late.
  const isTooLate = until !== undefined && (state.refreshAt === undefined || state.refreshAt > until)
  return stay({ kind: 'in-force', until, refreshAt: isTooLate ? context.now : state.refreshAt })
}

function endOf(lifetime: Lifetime, now: Instant): Until {
  return lifetime === 'indefinite' ? undefined : after(now, Seconds(lifetime))
}

function isActive(status: number | undefined): boolean {
  return (
    status === MitigationStatusCode.attackMitigationInProgress ||
    status === MitigationStatusCode.attackSuccessfullyMitigated
  )
}

function vanished(state: RequestState, retryAt: Instant | undefined, context: RequestContext): RequestStep {
  switch (state.kind) {
    case 'in-force':
    case 'refreshing': {
      if (retryAt === undefined) return ask(context, false)
      const refusal: Refusal = { kind: 'terminated', text: 'the server does not keep it' }
      return { state: { kind: 'refused', refusal, retryAt }, actions: ['forget-put', 'forget-observe'] }
    }
    case 'withdrawing':
      return { state: { kind: 'ended', reason: 'withdrawn' }, actions: ALL_FORGOTTEN }
    case 'waiting':
    case 'asking':
    case 'refused':
    case 'ended':
      return stay(state)
  }
}

function retire(state: RequestState, context: RequestContext): RequestStep {
  switch (state.kind) {
    case 'waiting':
      return state.maybeKnown
        ? withdraw(endOf(context.asked, context.now), context)
        : { state: { kind: 'ended', reason: 'never-asked' }, actions: [] }
    case 'asking':
      return withdraw(endOf(context.asked, context.now), context)
    case 'in-force':
    case 'refreshing':
      return withdraw(state.until, context)
    case 'refused':
      // The server may keep a deactivated request for when the conflict is over (RFC 9132 §4.4.1.3).
      return state.refusal.kind === 'conflict'
        ? withdraw(endOf(context.asked, context.now), context)
        : { state: { kind: 'ended', reason: 'withdrawn' }, actions: ALL_FORGOTTEN }
    case 'withdrawing':
    case 'ended':
      return stay(state)
  }
}

function withdraw(until: Until, context: RequestContext): RequestStep {
  return {
    state: { kind: 'withdrawing', until, retryAt: undefined },
    actions: context.hasSession ? ['forget-put', 'forget-observe', 'delete'] : []
  }
}

function due(state: RequestState, context: RequestContext): RequestStep {
  const at = dueAt(state)
  if (at === undefined || at > context.now) return stay(state)
  switch (state.kind) {
    case 'in-force':
      return refresh(state, context)
    case 'refreshing':
      // Its time is over at the server. The PUT that is out asks for it anew.
      return stay({ kind: 'asking' })
    case 'refused':
      return ask(context, true)
    case 'withdrawing':
      return withdrawAgain(state, context)
    case 'waiting':
    case 'asking':
    case 'ended':
      return stay(state)
  }
}

function withdrawAgain(
  state: RequestState & { readonly kind: 'withdrawing' },
  context: RequestContext
): RequestStep {
  if (state.until !== undefined && state.until <= context.now)
    return { state: { kind: 'ended', reason: 'expired' }, actions: ALL_FORGOTTEN }
  const next: RequestState = { ...state, retryAt: undefined }
  return context.hasSession ? stay(next, 'delete') : stay(next)
}

function refresh(state: RequestState & { readonly kind: 'in-force' }, context: RequestContext): RequestStep {
  const isOver = state.until !== undefined && state.until <= context.now
  if (isOver) return ask(context, false)
  if (context.hasSession) return { state: { kind: 'refreshing', until: state.until }, actions: ['put'] }
  // Without a session there is nothing to do until one comes up, or the time is over.
  return stay({ kind: 'in-force', until: state.until, refreshAt: state.until })
}
