import { Seconds, after } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { Lifetime } from '../../signal/lifetime.ts'
import type { Trigger } from '../../signal/mapper.ts'
import type { MitigationReport, PutAnswer } from './answer.ts'
import type { Refusal, RequestState, Until } from './request-state.ts'

export type RequestEvent =
  | { readonly kind: 'session-up' }
  | { readonly kind: 'session-down' }
  | { readonly kind: 'put-answer'; readonly answer: PutAnswer }
  /** An efficacy update was accepted, which is a refresh (RFC 9132 §4.4.3). */
  | { readonly kind: 'renewed'; readonly lifetime: Lifetime }
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
  readonly trigger: Trigger
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

export const ALL_FORGOTTEN: readonly RequestAction[] = ['forget-put', 'forget-observe', 'forget-delete']

export function stay(state: RequestState, ...actions: RequestAction[]): RequestStep {
  return { state, actions }
}

/** Out it goes, where there is a session. */
export function ask(context: RequestContext, maybeKnown: boolean): RequestStep {
  return context.hasSession
    ? { state: { kind: 'asking' }, actions: ['put'] }
    : { state: { kind: 'waiting', maybeKnown }, actions: [] }
}

export function refused(
  refusal: Refusal,
  retryAfterSeconds: number | undefined,
  context: RequestContext
): RequestStep {
  // RFC 9132 §4.4.2.1: never again before the retry-timer is over.
  const retryAt = retryAfterSeconds === undefined ? undefined : after(context.now, Seconds(retryAfterSeconds))
  return { state: { kind: 'refused', refusal, retryAt }, actions: ['forget-put', 'forget-observe'] }
}

export function granted(lifetime: Lifetime, context: RequestContext): RequestState {
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

export function endOf(lifetime: Lifetime, now: Instant): Until {
  return lifetime === 'indefinite' ? undefined : after(now, Seconds(lifetime))
}
