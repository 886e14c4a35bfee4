import { earlier } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { ConflictCause } from './answer.ts'

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
export type Until = Instant | undefined

export type EndReason = 'withdrawn' | 'never-asked' | 'superseded' | 'expired'

/** What a server said instead of yes. */
export interface Refusal {
  readonly kind: 'conflict' | 'refused' | 'unavailable' | 'terminated'
  readonly cause?: ConflictCause
  /** In the server's words, with the code. */
  readonly text: string
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

/** Whether its time at the server is over. */
export function isRunOut(state: RequestState, now: Instant): boolean {
  const isGranted = state.kind === 'in-force' || state.kind === 'refreshing'
  return isGranted && state.until !== undefined && state.until <= now
}

/** Whether copies of its PUT go out. */
export function isPutOut({ kind }: RequestState): boolean {
  return kind === 'asking' || kind === 'refreshing'
}

/** Whether something was asked of the server that it has not answered. */
export function isUnanswered(state: RequestState): boolean {
  return isPutOut(state) || state.kind === 'withdrawing'
}
