import type { MitigationScopeEntry } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { checkEfficacyUpdate } from '../../src/signal/efficacy-update.ts'

const GOOD = { targetPrefix: ['192.0.2.0/24'], targetProtocol: [17], attackStatus: 2 }

function check(entry: MitigationScopeEntry): ReturnType<typeof checkEfficacyUpdate> {
  return checkEfficacyUpdate({ mitigationScope: { scope: [entry] } })
}

describe('checkEfficacyUpdate', () => {
  it('reads target, lifetime and what is said of the attack', () => {
    expect(check({ ...GOOD, lifetime: -1 })).toMatchObject({
      ok: true,
      value: { attackStatus: 2, lifetime: 'indefinite', target: { protocols: [17] } }
    })
  })

  it('goes without a lifetime', () => {
    expect(check(GOOD)).toMatchObject({ ok: true, value: { lifetime: undefined } })
  })

  it.each<[string, MitigationScopeEntry]>([
    ['DOTS_SIGNAL_ATTACK_STATUS_MISSING', { targetPrefix: ['192.0.2.0/24'], lifetime: 60 }],
    ['DOTS_SIGNAL_LIFETIME_INVALID', { ...GOOD, lifetime: 0 }],
    ['DOTS_SIGNAL_TARGET_MISSING', { attackStatus: 1 }],
    ['DOTS_SIGNAL_PREFIX_INVALID', { ...GOOD, targetPrefix: ['192.0.2'] }],
    ['DOTS_SIGNAL_TARGET_NOT_UNICAST', { ...GOOD, targetPrefix: ['224.0.0.0/8'] }],
    ['DOTS_SIGNAL_ATTRIBUTE_NOT_IN_REQUEST', { ...GOOD, status: 1 }],
    ['DOTS_SIGNAL_ALIAS_UNKNOWN', { ...GOOD, aliasName: ['web'] }]
  ])('%s: %j', (code, entry) => {
    expect(check(entry)).toMatchObject({ ok: false, problem: { code, answer: 0x80 } })
  })

  it('takes one scope, no more and no less', () => {
    expect(checkEfficacyUpdate({})).toMatchObject({ problem: { code: 'DOTS_SIGNAL_SCOPE_MISSING' } })
    expect(checkEfficacyUpdate({ mitigationScope: { scope: [GOOD, GOOD] } })).toMatchObject({
      problem: { code: 'DOTS_SIGNAL_SCOPE_MULTIPLE' }
    })
  })
})
