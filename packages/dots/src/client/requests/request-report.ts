import { MitigationStatusCode } from '@breakwater/model'
import { Seconds, between } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { MitigationReport } from './answer.ts'
import type { Refusal, RequestState, Until } from './request-state.ts'
import { ALL_FORGOTTEN, ask, endOf, granted, refused, stay } from './request-step.ts'
import type { RequestContext, RequestStep } from './request-step.ts'

/** Remaining lifetimes are whole seconds, and take a moment to arrive. */
const ROUNDING: Duration = Seconds(2)

/** What the server's word on a mitigation makes of the request. */
export function reported(
  state: RequestState,
  report: MitigationReport,
  context: RequestContext
): RequestStep {
  switch (state.kind) {
    case 'in-force':
    case 'refreshing':
      return reportedInForce(state, report, context)
    case 'refused':
      // RFC 9132 §4.4.1.3: a deactivated request may be activated again when the conflict is over.
      return isActive(report.status) && state.refusal.kind === 'conflict'
        ? stay(granted(report.lifetime ?? 0, context))
        : stay(state)
    case 'asking':
      return reportedAsked(state, report, context)
    case 'withdrawing':
      return isLeaving(report.status)
        ? { state: { kind: 'ended', reason: 'withdrawn' }, actions: ALL_FORGOTTEN }
        : stay(state)
    case 'waiting':
    case 'ended':
      return stay(state)
  }
}

/** What the server reports it has got: only the answer to the PUT was lost, as happens on a full link. */
function reportedAsked(
  state: RequestState & { readonly kind: 'asking' },
  report: MitigationReport,
  context: RequestContext
): RequestStep {
  if (isWithdrawnByServer(report, context)) return withdrawnByServer(report, context)
  if (report.status === undefined || isLeaving(report.status)) return stay(state)
  return stay(granted(report.lifetime ?? context.asked, context), 'forget-put', 'observe')
}

/** RFC 9132 §4.4.1.3: a standing request makes room for an immediate one by 7, and then stands by again. */
function isWithdrawnByServer({ status }: MitigationReport, { trigger }: RequestContext): boolean {
  return status === MitigationStatusCode.attackMitigationWithdrawn && trigger === 'immediate'
}

function withdrawnByServer(report: MitigationReport, context: RequestContext): RequestStep {
  const text = 'the server withdrew it because of a conflict'
  return {
    // The observation stays: it will tell when the conflict is over.
    state: refused({ kind: 'conflict', text }, report.retryAfterSeconds, context).state,
    actions: ['forget-put']
  }
}

function reportedInForce(
  state: RequestState & { readonly kind: 'in-force' | 'refreshing' },
  report: MitigationReport,
  context: RequestContext
): RequestStep {
  if (isWithdrawnByServer(report, context)) return withdrawnByServer(report, context)
  if (report.lifetime === undefined) return stay(state)
  const until = endOf(report.lifetime, context.now)
  if (state.kind === 'refreshing')
    return isLonger(until, state.until)
      ? stay(granted(report.lifetime, context), 'forget-put')
      : stay({ kind: 'refreshing', until })
  // The server cut it short: the refresh planned for later would come too late.
  const isTooLate = until !== undefined && (state.refreshAt === undefined || state.refreshAt > until)
  return stay({ kind: 'in-force', until, refreshAt: isTooLate ? context.now : state.refreshAt })
}

/** A lifetime only runs down: more of it than was left means that the refresh arrived. */
function isLonger(until: Until, before: Until): boolean {
  if (before === undefined) return false
  return until === undefined || between(before, until) > ROUNDING
}

/** Withdrawn by us, as the server sees it. */
function isLeaving(status: number | undefined): boolean {
  return (
    status === MitigationStatusCode.dotsClientWithdrawnMitigation ||
    status === MitigationStatusCode.attackMitigationTerminated
  )
}

function isActive(status: number | undefined): boolean {
  return (
    status === MitigationStatusCode.attackMitigationInProgress ||
    status === MitigationStatusCode.attackSuccessfullyMitigated
  )
}

/** The server does not have it. */
export function vanished(
  state: RequestState,
  retryAt: Instant | undefined,
  context: RequestContext
): RequestStep {
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
