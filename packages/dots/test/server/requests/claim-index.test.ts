import { formatIpPrefix, ipv4, ipv6, prefixOf, prefixesOverlap } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { prefix } from '@breakwater/testing'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClaimIndex } from '../../../src/server/requests/claim-index.ts'

function found(index: ClaimIndex<string>, text: string): string[] {
  return [...index.overlapping(prefix(text))].toSorted((a, b) => (a < b ? -1 : 1))
}

describe('ClaimIndex', () => {
  it('finds what contains a prefix, what lies in it, and the prefix itself', () => {
    const index = new ClaimIndex<string>()
    for (const text of [
      '10.0.0.0/8',
      '10.1.0.0/16',
      '10.1.2.0/24',
      '10.1.3.0/24',
      '10.2.0.0/16',
      '11.0.0.0/8'
    ])
      index.add(prefix(text), text)
    expect(found(index, '10.1.2.0/23')).toEqual(['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '10.1.3.0/24'])
    expect(found(index, '10.1.2.7/32')).toEqual(['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24'])
    expect(found(index, '12.0.0.0/8')).toEqual([])
    expect(found(index, '0.0.0.0/0')).toHaveLength(6)
  })

  it('keeps the families apart', () => {
    const index = new ClaimIndex<string>()
    index.add(prefix('0.0.0.0/0'), 'four')
    index.add(prefix('::/0'), 'six')
    expect(found(index, '192.0.2.0/24')).toEqual(['four'])
    expect(found(index, '2001:db8::/32')).toEqual(['six'])
  })

  it('keeps several claims on one prefix apart, and forgets only the one that is taken back', () => {
    const index = new ClaimIndex<string>()
    for (const owner of ['a', 'b']) index.add(prefix('192.0.2.0/24'), owner)
    index.remove(prefix('192.0.2.0/24'), 'a')
    index.remove(prefix('192.0.2.0/24'), 'c')
    index.remove(prefix('192.0.2.0/25'), 'b')
    expect(found(index, '192.0.2.0/24')).toEqual(['b'])
  })

  it('answers like a look at every claim, whatever was added and removed before', () => {
    // Few distinct bits, so that prefixes meet.
    const bits = fc.nat(15).map((n) => (n << 28) >>> 0)
    const four = fc.tuple(bits, fc.nat(32)).map(([a, length]) => prefixOf(ipv4(a), length))
    const six = fc
      .tuple(bits, fc.nat(15), fc.nat(128))
      .map(([a, d, length]) => prefixOf(ipv6(a, 0, 0, d), length))
    const any = fc.oneof(four, six)
    fc.assert(
      fc.property(fc.array(fc.tuple(any, fc.boolean()), { maxLength: 40 }), any, (steps, asked) => {
        const index = new ClaimIndex<number>()
        const claims = new Map<number, IpPrefix>()
        for (const [number, [claimed, removes]] of steps.entries()) {
          const [oldest] = claims
          if (removes && oldest !== undefined) {
            index.remove(oldest[1], oldest[0])
            claims.delete(oldest[0])
          }
          index.add(claimed, number)
          claims.set(number, claimed)
        }
        const naive = [...claims].filter(([, each]) => prefixesOverlap(each, asked)).map(([number]) => number)
        const answer = [...index.overlapping(asked)].toSorted((a, b) => a - b)
        expect(answer, formatIpPrefix(asked)).toEqual(naive)
      }),
      { numRuns: 500 }
    )
  })
})
