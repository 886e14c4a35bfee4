import type { Until, RequestState } from './request-state.ts'
import { dueAt, isInForce } from './request-state.ts'
import type { Instant } from '@breakwater/core'
import { deleteAnswer, putAnswer } from './request-answer.ts'
import { reported, vanished } from './request-report.ts'
import { ALL_FORGOTTEN, ask, endOf, granted, stay } from './request-step.ts'
import type { RequestContext, RequestEvent, RequestStep } from './request-step.ts'

/** The next state of a request. */
export function step(state: RequestState, event: RequestEvent, context: RequestContext): RequestStep {
  switch (event.kind) {
    case 'session-up':
      return sessionUp(state, context)
    case 'session-down':
      return sessionDown(state, context)
    case 'put-answer':
      return putAnswer(state, event.answer, context)
    case 'renewed':
      return isInForce(state) ? stay(granted(event.lifetime, context), 'forget-put') : stay(state)
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
