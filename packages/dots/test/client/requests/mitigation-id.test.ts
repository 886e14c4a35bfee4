import { WallTime } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { mitigationId } from '../../../src/domain/identifier.ts'
import { MitigationIds } from '../../../src/client/requests/mitigation-id.ts'

const at = (seconds: number): WallTime => WallTime(seconds * 1000)

describe('mitigation ids', () => {
  it('grow with every request, however many a second, and whatever the calendar does [RFC9132-4.4.1.1-M09]', () => {
    const ids = new MitigationIds()
    const made = [at(1000), at(1000), at(1000), at(500), at(2000)].map((now) => ids.next(now, false))
    expect(made).toEqual([1000, 1001, 1002, 1003, 2000])
  })

  it('of a later life of the client are greater than those of an earlier one', () => {
    const earlier = new MitigationIds().next(at(1_700_000_000), true)
    const later = new MitigationIds().next(at(1_700_000_060), true)
    expect(later).toBeGreaterThan(earlier)
  })

  it('exceed what the server knows', () => {
    const ids = new MitigationIds()
    ids.raiseTo(mitigationId(5000)!)
    expect(ids.next(at(1000), false)).toBe(5001)
  })

  it('restart at 0 beyond three quarters of the range, once no attack is on [RFC9132-4.4.1.1-M10]', () => {
    const ids = new MitigationIds()
    ids.raiseTo(mitigationId(3_221_225_470)!)
    expect(ids.next(at(1000), true)).toBe(3_221_225_471)
    expect(ids.next(at(1000), false)).toBe(3_221_225_472)
    expect(ids.next(at(1000), true)).toBe(0)
    expect(ids.next(at(1000), true)).toBe(1)
  })

  it('cannot be used up by a server that claims to know one of the highest', () => {
    const ids = new MitigationIds()
    ids.raiseTo(mitigationId(0xffff_fffe)!)
    expect(ids.next(at(1000), false)).toBe(1000)
  })
})
