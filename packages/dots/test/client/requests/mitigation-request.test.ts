import { Instant } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { mitigationId } from '../../../src/domain/identifier.ts'
import type { MitigationReport } from '../../../src/client/requests/answer.ts'
import { step } from '../../../src/client/requests/mitigation-request.ts'
import { dueAt } from '../../../src/client/requests/request-state.ts'
import type { RequestState } from '../../../src/client/requests/request-state.ts'
import type { RequestContext, RequestEvent } from '../../../src/client/requests/request-step.ts'

const now = Instant(1_000_000)
const later = Instant(1_600_000)
const context: RequestContext = { now, hasSession: true, trigger: 'immediate', asked: 1000, jitter: 0 }

function report(status: number, more: Partial<MitigationReport> = {}): RequestEvent {
  const nothing = {
    lifetime: undefined,
    bytesDropped: undefined,
    packetsDropped: undefined,
    bitsPerSecondDropped: undefined,
    packetsPerSecondDropped: undefined,
    retryAfterSeconds: undefined,
    conflict: undefined,
    target: undefined
  }
  return { kind: 'report', report: { mitigationId: mitigationId(7)!, status, ...nothing, ...more } }
}

const states: Readonly<Record<string, RequestState>> = {
  waiting: { kind: 'waiting', maybeKnown: false },
  'waiting, known': { kind: 'waiting', maybeKnown: true },
  asking: { kind: 'asking' },
  'in-force': { kind: 'in-force', until: later, refreshAt: later },
  refreshing: { kind: 'refreshing', until: later },
  refused: { kind: 'refused', refusal: { kind: 'refused', text: '' }, retryAt: undefined },
  conflict: { kind: 'refused', refusal: { kind: 'conflict', text: '' }, retryAt: later },
  withdrawing: { kind: 'withdrawing', until: later, retryAt: undefined },
  ended: { kind: 'ended', reason: 'withdrawn' }
}

const events: Readonly<Record<string, RequestEvent>> = {
  'session-up': { kind: 'session-up' },
  'session-down': { kind: 'session-down' },
  granted: { kind: 'put-answer', answer: { kind: 'granted', lifetime: 600 } },
  'said no': { kind: 'put-answer', answer: { kind: 'refused', code: 0x80, text: 'no' } },
  'said later': {
    kind: 'put-answer',
    answer: { kind: 'unavailable', code: 0xa3, retryAfterSeconds: 30, text: 'later' }
  },
  deleted: { kind: 'delete-answer', retryAfterSeconds: undefined },
  vanished: { kind: 'vanished', retryAt: undefined },
  'vanished again': { kind: 'vanished', retryAt: later },
  retire: { kind: 'retire' },
  superseded: { kind: 'superseded' },
  'status 1': report(1),
  'status 5': report(5),
  'status 7': report(7, { retryAfterSeconds: 120 }),
  'more time than was left': report(2, { lifetime: 700 }),
  renewed: { kind: 'renewed', lifetime: 500 },
  due: { kind: 'due' }
}

/** Every cell: the next state, and what is to be done. `-`: stays and does nothing. */
const table: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  waiting: { 'session-up': 'asking put', retire: 'ended' },
  'waiting, known': { 'session-up': 'asking put', retire: 'withdrawing forget-put forget-observe delete' },
  asking: {
    'session-up': 'asking put',
    'session-down': 'waiting',
    granted: 'in-force observe',
    'said no': 'refused forget-put forget-observe',
    'said later': 'refused forget-put forget-observe',
    retire: 'withdrawing forget-put forget-observe delete',
    'status 1': 'in-force forget-put observe',
    'more time than was left': 'in-force forget-put observe',
    'status 7': 'refused forget-put'
  },
  'in-force': {
    'session-up': 'refreshing put observe',
    vanished: 'asking put',
    retire: 'withdrawing forget-put forget-observe delete',
    'vanished again': 'refused forget-put forget-observe',
    'status 7': 'refused forget-put',
    renewed: 'in-force forget-put'
  },
  refreshing: {
    'session-up': 'refreshing put',
    'session-down': 'in-force',
    granted: 'in-force',
    'said no': 'refused forget-put forget-observe',
    'said later': 'in-force',
    vanished: 'asking put',
    retire: 'withdrawing forget-put forget-observe delete',
    'vanished again': 'refused forget-put forget-observe',
    'status 7': 'refused forget-put',
    'more time than was left': 'in-force forget-put',
    renewed: 'in-force forget-put'
  },
  refused: { retire: 'ended forget-put forget-observe forget-delete' },
  conflict: {
    retire: 'withdrawing forget-put forget-observe delete',
    'status 1': 'in-force',
    'more time than was left': 'in-force'
  },
  withdrawing: {
    'session-up': 'withdrawing delete',
    deleted: 'ended forget-put forget-observe forget-delete',
    vanished: 'ended forget-put forget-observe forget-delete',
    'vanished again': 'ended forget-put forget-observe forget-delete',
    'status 5': 'ended forget-put forget-observe forget-delete'
  },
  ended: {}
}

describe('the life of a mitigation request', () => {
  for (const [stateName, state] of Object.entries(states))
    for (const [eventName, event] of Object.entries(events)) {
      const always = eventName === 'superseded' ? 'ended forget-put forget-observe forget-delete' : '-'
      const expected = table[stateName]?.[eventName] ?? always
      it(`${stateName} + ${eventName}: ${expected}`, () => {
        const next = step(state, event, context)
        const told = [next.state.kind, ...next.actions].join(' ')
        expect(told).toBe(expected === '-' ? state.kind : expected)
      })
    }

  it('is refreshed after 60 % to 70 % of what was granted', () => {
    const [early, late] = [0, 1].map((jitter) =>
      step(states['asking']!, events['granted']!, { ...context, jitter })
    )
    expect(dueAt(early!.state)).toBe(now + 360_000)
    expect(dueAt(late!.state)).toBe(now + 420_000)
  })

  it('is never refreshed when it was granted without end', () => {
    const answer = { kind: 'granted', lifetime: 'indefinite' } as const
    const next = step(states['asking']!, { kind: 'put-answer', answer }, context)
    expect(dueAt(next.state)).toBeUndefined()
  })

  it('takes the lifetime that was asked for when the server does not say', () => {
    const answer = { kind: 'granted', lifetime: undefined } as const
    const next = step(states['asking']!, { kind: 'put-answer', answer }, context)
    expect(next.state).toMatchObject({ kind: 'in-force', until: now + 1_000_000 })
  })

  it('does not become a stream of refreshes when the server grants a second', () => {
    const answer = { kind: 'granted', lifetime: 1 } as const
    const next = step(states['asking']!, { kind: 'put-answer', answer }, context)
    expect(dueAt(next.state)).toBe(now + 3000)
  })

  it('is asked anew when its lifetime ended without a session', () => {
    const state: RequestState = { kind: 'in-force', until: now, refreshAt: now }
    expect(step(state, { kind: 'due' }, { ...context, hasSession: false }).state.kind).toBe('waiting')
    expect(step(state, { kind: 'due' }, context)).toMatchObject({
      state: { kind: 'asking' },
      actions: ['put']
    })
  })

  it('comes again after the retry-timer and not before [RFC9132-4.4.2.1-M04]', () => {
    const withdrawn = step(states['in-force']!, events['status 7']!, context)
    const retryAt = dueAt(withdrawn.state)
    expect(retryAt).toBe(now + 120_000)
    const before = { ...context, now: Instant(now + 119_999) }
    expect(step(withdrawn.state, { kind: 'due' }, before).actions).toEqual([])
    expect(step(withdrawn.state, { kind: 'session-up' }, before).actions).toEqual([])
    const then = { ...context, now: Instant(now + 120_000) }
    expect(step(withdrawn.state, { kind: 'due' }, then).actions).toEqual(['put'])
  })

  it('waits with a DELETE that the server could not take', () => {
    const next = step(states['withdrawing']!, { kind: 'delete-answer', retryAfterSeconds: 20 }, context)
    expect(next.actions).toEqual([])
    expect(dueAt(next.state)).toBe(now + 20_000)
    const then = { ...context, now: Instant(now + 20_000) }
    expect(step(next.state, { kind: 'due' }, then).actions).toEqual(['delete'])
  })

  it('is over for us when its lifetime has ended at a server that never answered the DELETE', () => {
    const next = step(states['withdrawing']!, { kind: 'due' }, { ...context, now: later })
    expect(next.state).toEqual({ kind: 'ended', reason: 'expired' })
  })

  it('is refreshed at once when the server cut its lifetime short', () => {
    const next = step(states['in-force']!, report(1, { lifetime: 30 }), context)
    expect(dueAt(next.state)).toBe(now)
  })
})
