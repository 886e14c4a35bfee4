import { Seconds, after, earlier } from '@breakwater/core'
import type { Duration, Instant, WallTime } from '@breakwater/core'
import type { Expiry } from '../../signal/lifetime.ts'
import type { Calendar } from '../memory/calendar.ts'
import type { RequestEntry } from './request-entry.ts'
import type { RecordedState, RequestRecord } from './request-record.ts'
import type { RequestState } from './request-state.ts'

/** A change of less is not worth a write: what the server reports of a lifetime varies by the time on its way. */
const NOTEWORTHY: Duration = Seconds(30)

/** No retry-timer is believed for longer than this after a restart, for the calendar may have been set. */
const LONGEST_RETRY: Duration = Seconds(86_400)

/** What is to be remembered of a request; undefined: nothing, for the server has never heard of it. */
export function recordOf(entry: RequestEntry, calendar: Calendar, now: Instant): RequestRecord | undefined {
  const state = recordedState(entry.state, calendar, now)
  if (state === undefined) return undefined
  const { mitigationId, trigger, target, lifetime, protections } = entry
  return { mitigationId, trigger, target, lifetime, protections, state }
}

/** Whether the one says what the other does, but for some seconds. */
export function saysTheSame(one: RequestRecord, other: RequestRecord): boolean {
  return (
    one.mitigationId === other.mitigationId &&
    one.lifetime === other.lifetime &&
    one.protections.join('\n') === other.protections.join('\n') &&
    sameState(one.state, other.state)
  )
}

/** The state of a request that an earlier life left; undefined: its time is over. */
export function resumedState(
  { state, lifetime }: RequestRecord,
  calendar: Calendar,
  now: Instant
): RequestState | undefined {
  const longest = lifetime === 'indefinite' ? undefined : after(now, Seconds(lifetime))
  const moment = (expiry: Expiry<WallTime>): Instant | undefined =>
    expiry === 'never' ? undefined : calendar.momentOf(expiry)
  switch (state.kind) {
    case 'asked':
      return { kind: 'waiting', maybeKnown: true }
    case 'granted': {
      // A calendar that was set back must not make a lifetime longer than what was asked for.
      const until = earlier(moment(state.until), state.until === 'never' ? undefined : longest)
      if (until !== undefined && until <= now) return { kind: 'waiting', maybeKnown: true }
      return { kind: 'in-force', until, refreshAt: earlier(moment(state.refreshAt), until) }
    }
    case 'refused': {
      const { refusal, retryAt } = state
      const at = retryAt === undefined ? undefined : calendar.momentOf(retryAt)
      return { kind: 'refused', refusal, retryAt: earlier(at, at && after(now, LONGEST_RETRY)) }
    }
    case 'withdrawing': {
      const until = earlier(moment(state.until), longest)
      if (until !== undefined && until <= now) return undefined
      return { kind: 'withdrawing', until, retryAt: undefined }
    }
  }
}

function recordedState(state: RequestState, calendar: Calendar, now: Instant): RecordedState | undefined {
  const moment = (at: Instant | undefined): Expiry<WallTime> => (at === undefined ? 'never' : calendar.at(at))
  switch (state.kind) {
    case 'waiting':
      return state.maybeKnown ? { kind: 'asked' } : undefined
    case 'asking':
      return { kind: 'asked' }
    case 'in-force':
      return { kind: 'granted', until: moment(state.until), refreshAt: moment(state.refreshAt) }
    case 'refreshing':
      return { kind: 'granted', until: moment(state.until), refreshAt: calendar.at(now) }
    case 'refused': {
      const retryAt = state.retryAt === undefined ? undefined : calendar.at(state.retryAt)
      return { kind: 'refused', refusal: state.refusal, retryAt }
    }
    case 'withdrawing':
      return { kind: 'withdrawing', until: moment(state.until) }
    case 'ended':
      return undefined
  }
}

function sameState(one: RecordedState, other: RecordedState): boolean {
  switch (one.kind) {
    case 'asked':
      return other.kind === 'asked'
    case 'granted':
      return other.kind === 'granted' && isNear(one.until, other.until)
    case 'withdrawing':
      return other.kind === 'withdrawing' && isNear(one.until, other.until)
    case 'refused':
      return (
        other.kind === 'refused' &&
        one.refusal.text === other.refusal.text &&
        isNear(one.retryAt ?? 'never', other.retryAt ?? 'never')
      )
  }
}

function isNear(one: Expiry<WallTime>, other: Expiry<WallTime>): boolean {
  if (one === 'never' || other === 'never') return one === other
  return Math.abs(one - other) <= NOTEWORTHY
}
