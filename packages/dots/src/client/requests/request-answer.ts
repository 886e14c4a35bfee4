import { Seconds, after } from '@breakwater/core'
import type { PutAnswer } from './answer.ts'
import type { Refusal, RequestState } from './request-state.ts'
import { ALL_FORGOTTEN, granted, refused, stay } from './request-step.ts'
import type { RequestContext, RequestStep } from './request-step.ts'

/** What the server's answer to a PUT makes of a request. */
export function putAnswer(state: RequestState, answer: PutAnswer, context: RequestContext): RequestStep {
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

/** What the server's answer to a DELETE makes of it. */
export function deleteAnswer(
  state: RequestState,
  retryAfterSeconds: number | undefined,
  context: RequestContext
): RequestStep {
  if (state.kind !== 'withdrawing') return stay(state)
  if (retryAfterSeconds === undefined)
    return { state: { kind: 'ended', reason: 'withdrawn' }, actions: ALL_FORGOTTEN }
  return stay({ ...state, retryAt: after(context.now, Seconds(retryAfterSeconds)) })
}
