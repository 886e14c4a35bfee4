import { WallTime } from '@breakwater/core'
import { describe, expect, it } from 'vitest'

import { mitigationId, parseCuid } from '../../src/domain/identifier.ts'
import { mitigationKey, planIdOf } from '../../src/server/mitigations/mitigation.ts'

describe('the plan id of a mitigation', () => {
  it('stays within the 120 characters of the port for the longest cuid, the highest mid and a late year', () => {
    const cuid = parseCuid('a'.repeat(96)) ?? expect.fail('too long')
    const id = mitigationId(0xffff_ffff) ?? expect.fail('too high')
    const year9999 = WallTime(253_402_300_799_000)
    expect(planIdOf(mitigationKey(cuid, id), year9999).length).toBeLessThanOrEqual(120)
    expect(parseCuid('a'.repeat(97))).toBeUndefined()
  })
})
