import { Instant, Seconds, after } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { statusOf, transition } from '../../../src/server/mitigations/mitigation.ts'
import type { MitigationEvent, MitigationState } from '../../../src/server/mitigations/mitigation.ts'

const NOW = Instant(5000)

const CONFLICT = { all: false, retryAt: Instant(8000) }

const STATES = {
  requested: { kind: 'requested' },
  armed: { kind: 'armed' },
  inactive: { kind: 'inactive', conflict: { all: true, retryAt: undefined } },
  applying: { kind: 'applying' },
  failing: { kind: 'failing', attempts: 2, permanent: false },
  active: { kind: 'active' },
  stopped: { kind: 'stopped' },
  'stood-down': { kind: 'stood-down', because: 'overlap', told: 0 },
  terminating: { kind: 'terminating', until: Instant(9000) },
  ended: { kind: 'ended', reason: 'expired' }
} as const satisfies Record<MitigationState['kind'], MitigationState>

const EVENTS = {
  stored: { kind: 'stored', as: 'applying' },
  'not-stored': { kind: 'not-stored' },
  triggered: { kind: 'triggered' },
  deactivated: { kind: 'deactivated', conflict: CONFLICT },
  'stood-down': { kind: 'stood-down', because: 'attack-stopped' },
  told: { kind: 'told' },
  applied: { kind: 'applied' },
  'apply-failed': { kind: 'apply-failed', permanent: false },
  'attack-stopped': { kind: 'attack-stopped' },
  'attack-resumed': { kind: 'attack-resumed' },
  withdrawn: { kind: 'withdrawn', grace: Seconds(120) },
  'grace-over': { kind: 'grace-over' },
  expired: { kind: 'expired' },
  superseded: { kind: 'superseded' },
  revoked: { kind: 'revoked' },
  preempted: { kind: 'preempted' },
  gone: { kind: 'gone' }
} as const satisfies Record<MitigationEvent['kind'], MitigationEvent>

type Row = Partial<Record<MitigationEvent['kind'], MitigationState>>

const ENDS = {
  superseded: { kind: 'ended', reason: 'superseded' },
  revoked: { kind: 'ended', reason: 'revoked' },
  preempted: { kind: 'ended', reason: 'preempted' },
  gone: { kind: 'ended', reason: 'withdrawn' }
} as const satisfies Row

const FROM_LIVE = {
  ...ENDS,
  deactivated: { kind: 'inactive', conflict: CONFLICT },
  expired: { kind: 'ended', reason: 'expired' }
} as const satisfies Row

const FROM_WAITING = {
  ...FROM_LIVE,
  triggered: { kind: 'applying' },
  withdrawn: { kind: 'ended', reason: 'withdrawn' }
} as const satisfies Row

const FROM_IN_FORCE = {
  ...FROM_LIVE,
  'stood-down': { kind: 'stood-down', because: 'attack-stopped', told: 0 },
  'apply-failed': { kind: 'failing', attempts: 1, permanent: false },
  withdrawn: { kind: 'terminating', until: after(NOW, Seconds(120)) }
} as const satisfies Row

/** The table of `mitigation.ts`; what is missing stays as it is. */
const TABLE: Readonly<Record<MitigationState['kind'], Row>> = {
  requested: { stored: { kind: 'applying' }, 'not-stored': { kind: 'ended', reason: 'not-stored' } },
  armed: FROM_WAITING,
  inactive: FROM_WAITING,
  'stood-down': { ...FROM_WAITING, told: { kind: 'stood-down', because: 'overlap', told: 1 } },
  applying: { ...FROM_IN_FORCE, applied: { kind: 'active' } },
  failing: {
    ...FROM_IN_FORCE,
    applied: { kind: 'active' },
    'apply-failed': { kind: 'failing', attempts: 3, permanent: false },
    withdrawn: { kind: 'ended', reason: 'withdrawn' }
  },
  active: { ...FROM_IN_FORCE, 'attack-stopped': { kind: 'stopped' } },
  stopped: { ...FROM_IN_FORCE, 'attack-resumed': { kind: 'active' } },
  terminating: { ...ENDS, 'grace-over': { kind: 'ended', reason: 'withdrawn' } },
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

it('a preconfigured request is stored as armed, and is so again when its status was told four times', () => {
  expect(transition(STATES.requested, { kind: 'stored', as: 'armed' }, NOW)).toEqual({ kind: 'armed' })
  let state: MitigationState = STATES['stood-down']
  for (const told of [1, 2, 3]) {
    state = transition(state, EVENTS.told, NOW)
    expect(state).toEqual({ kind: 'stood-down', because: 'overlap', told })
  }
  expect(transition(state, EVENTS.told, NOW)).toEqual({ kind: 'armed' })
})

describe('RFC 9132 §4.4.2, Table 3: the status that a state shows', () => {
  it.each<[MitigationState, number]>([
    [{ kind: 'requested' }, 1],
    [{ kind: 'applying' }, 1],
    [{ kind: 'armed' }, 8],
    [{ kind: 'inactive', conflict: CONFLICT }, 7],
    [{ kind: 'active' }, 2],
    [{ kind: 'stopped' }, 3],
    [{ kind: 'stood-down', because: 'overlap', told: 0 }, 7],
    [{ kind: 'stood-down', because: 'attack-stopped', told: 0 }, 3],
    [{ kind: 'failing', attempts: 2, permanent: false }, 1],
    [{ kind: 'failing', attempts: 3, permanent: false }, 4],
    [{ kind: 'failing', attempts: 1, permanent: true }, 4],
    [{ kind: 'terminating', until: NOW }, 5],
    [{ kind: 'ended', reason: 'withdrawn' }, 6],
    [{ kind: 'ended', reason: 'expired' }, 6],
    [{ kind: 'ended', reason: 'superseded' }, 6],
    [{ kind: 'ended', reason: 'revoked' }, 7],
    [{ kind: 'ended', reason: 'preempted' }, 7]
  ])('%o is %i', (state, status) => {
    expect(statusOf(state)).toBe(status)
  })
})
