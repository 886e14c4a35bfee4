import { Instant, Seconds, after } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { statusOf, transition } from '../../src/server/mitigation.ts'
import type { MitigationEvent, MitigationState } from '../../src/server/mitigation.ts'

const NOW = Instant(5000)

const STATES = {
  requested: { kind: 'requested' },
  applying: { kind: 'applying' },
  failing: { kind: 'failing', attempts: 2, permanent: false },
  active: { kind: 'active' },
  terminating: { kind: 'terminating', until: Instant(9000) },
  ended: { kind: 'ended', reason: 'expired' }
} as const satisfies Record<MitigationState['kind'], MitigationState>

const EVENTS = {
  stored: { kind: 'stored' },
  'not-stored': { kind: 'not-stored' },
  applied: { kind: 'applied' },
  'apply-failed': { kind: 'apply-failed', permanent: false },
  withdrawn: { kind: 'withdrawn', grace: Seconds(120) },
  'grace-over': { kind: 'grace-over' },
  expired: { kind: 'expired' },
  superseded: { kind: 'superseded' },
  revoked: { kind: 'revoked' }
} as const satisfies Record<MitigationEvent['kind'], MitigationEvent>

/** The table of `mitigation.ts`; what is missing stays as it is. */
const TABLE: Readonly<
  Record<MitigationState['kind'], Partial<Record<MitigationEvent['kind'], MitigationState>>>
> = {
  requested: { stored: { kind: 'applying' }, 'not-stored': { kind: 'ended', reason: 'not-stored' } },
  applying: {
    applied: { kind: 'active' },
    'apply-failed': { kind: 'failing', attempts: 1, permanent: false },
    withdrawn: { kind: 'terminating', until: after(NOW, Seconds(120)) },
    expired: { kind: 'ended', reason: 'expired' },
    superseded: { kind: 'ended', reason: 'superseded' },
    revoked: { kind: 'ended', reason: 'revoked' }
  },
  failing: {
    applied: { kind: 'active' },
    'apply-failed': { kind: 'failing', attempts: 3, permanent: false },
    withdrawn: { kind: 'ended', reason: 'withdrawn' },
    expired: { kind: 'ended', reason: 'expired' },
    superseded: { kind: 'ended', reason: 'superseded' },
    revoked: { kind: 'ended', reason: 'revoked' }
  },
  active: {
    'apply-failed': { kind: 'failing', attempts: 1, permanent: false },
    withdrawn: { kind: 'terminating', until: after(NOW, Seconds(120)) },
    expired: { kind: 'ended', reason: 'expired' },
    superseded: { kind: 'ended', reason: 'superseded' },
    revoked: { kind: 'ended', reason: 'revoked' }
  },
  terminating: {
    'grace-over': { kind: 'ended', reason: 'withdrawn' },
    superseded: { kind: 'ended', reason: 'superseded' },
    revoked: { kind: 'ended', reason: 'revoked' }
  },
  ended: {}
}

describe('the life of a mitigation', () => {
  for (const state of Object.values(STATES))
    for (const event of Object.values(EVENTS)) {
      const expected = TABLE[state.kind][event.kind]
      it(`${state.kind} + ${event.kind} → ${expected?.kind ?? 'the same'}`, () => {
        const next = transition(state, event, NOW)
        if (expected === undefined) expect(next).toBe(state)
        else expect(next).toEqual(expected)
      })
    }
})

describe('RFC 9132 §4.4.2, Table 3: the status that a state shows', () => {
  it.each<[MitigationState, number]>([
    [{ kind: 'requested' }, 1],
    [{ kind: 'applying' }, 1],
    [{ kind: 'active' }, 2],
    [{ kind: 'failing', attempts: 2, permanent: false }, 1],
    [{ kind: 'failing', attempts: 3, permanent: false }, 4],
    [{ kind: 'failing', attempts: 1, permanent: true }, 4],
    [{ kind: 'terminating', until: NOW }, 5],
    [{ kind: 'ended', reason: 'withdrawn' }, 6],
    [{ kind: 'ended', reason: 'expired' }, 6],
    [{ kind: 'ended', reason: 'superseded' }, 6],
    [{ kind: 'ended', reason: 'revoked' }, 7]
  ])('%o is %i', (state, status) => {
    expect(statusOf(state)).toBe(status)
  })
})
