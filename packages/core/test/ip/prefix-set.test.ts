import {
  commonPrefixes,
  comparePrefixes,
  formatIpPrefix,
  ipv4,
  mergePrefixes,
  otherPrefixes,
  parseIpPrefix,
  prefixContainsAddress,
  subtractPrefixes
} from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crowdedIpv6Prefix, crowdedPrefix } from '../arbitrary/ip.ts'

const crowd = fc.array(crowdedPrefix, { maxLength: 12 })

describe('subtractPrefixes', () => {
  test.each([
    ['192.0.2.0/24', [], ['192.0.2.0/24']],
    ['192.0.2.0/24', ['198.51.100.0/24'], ['192.0.2.0/24']],
    ['192.0.2.0/24', ['192.0.0.0/16'], []],
    ['192.0.2.0/24', ['192.0.2.0/24'], []],
    ['192.0.2.0/24', ['192.0.2.0/25'], ['192.0.2.128/25']],
    ['192.0.2.0/30', ['192.0.2.1/32'], ['192.0.2.0/32', '192.0.2.2/31']],
    ['0.0.0.0/0', ['::/0'], ['0.0.0.0/0']],
    ['::/0', ['8000::/1'], ['::/1']],
    ['2001:db8::/126', ['2001:db8::2/128'], ['2001:db8::/127', '2001:db8::3/128']]
  ])('%s without %j is %j', (from, holes, rest) => {
    expect(subtractPrefixes(prefix(from), holes.map(prefix)).map(formatIpPrefix)).toEqual(rest)
  })

  test('leaves exactly the addresses outside the holes, in the fewest prefixes', () => {
    fc.assert(
      fc.property(crowdedPrefix, crowd, (from, holes) => {
        const rest = subtractPrefixes(from, holes)
        expect(lowBytes(rest)).toEqual(lowBytes([from]).filter((low) => !lowBytes(holes).includes(low)))
        expect(rest).toHaveLength(fewest(lowBytes(rest)))
      })
    )
  })

  test('cuts one address out of all of IPv6 in 128 pieces', () => {
    const rest = subtractPrefixes(prefix('::/0'), [prefix('2001:db8::1/128')])
    expect(rest.map((each) => each.length).toSorted((x, y) => x - y)).toEqual(
      Array.from({ length: 128 }, (_, index) => index + 1)
    )
    expect(mergePrefixes([...rest, prefix('2001:db8::1/128')]).map(formatIpPrefix)).toEqual(['::/0'])
  })
})

describe('commonPrefixes and otherPrefixes', () => {
  const set = fc.oneof(crowd, fc.array(crowdedIpv6Prefix, { maxLength: 12 })).map(mergePrefixes)

  test('part a set into what another has, too, and what it has not', () => {
    fc.assert(
      fc.property(set, set, (prefixes, others) => {
        const left = prefixes.flatMap((each) => subtractPrefixes(each, others))
        expect(otherPrefixes(prefixes, others)).toEqual(left)
        const common = commonPrefixes(prefixes, others)
        expect(common).toEqual(prefixes.flatMap((each) => subtractPrefixes(each, left)))
        expect(common).toEqual(commonPrefixes(others, prefixes))
      })
    )
  })
})

describe('mergePrefixes', () => {
  test.each([
    [[], []],
    [['192.0.2.0/25', '192.0.2.128/25'], ['192.0.2.0/24']],
    [
      ['192.0.2.128/25', '192.0.3.0/25'],
      ['192.0.2.128/25', '192.0.3.0/25']
    ],
    [['192.0.2.7/32', '192.0.2.0/24', '192.0.2.0/24'], ['192.0.2.0/24']],
    [['10.0.0.3/32', '10.0.0.1/32', '10.0.0.2/32', '10.0.0.0/32'], ['10.0.0.0/30']],
    [
      ['0.0.0.0/1', '::/1', '8000::/1', '128.0.0.0/1'],
      ['0.0.0.0/0', '::/0']
    ]
  ])('%j becomes %j', (list, merged) => {
    expect(mergePrefixes(list.map(prefix)).map(formatIpPrefix)).toEqual(merged)
  })

  test('keeps exactly the same addresses, in the fewest prefixes, in order', () => {
    fc.assert(
      fc.property(crowd, (list) => {
        const merged = mergePrefixes(list)
        expect(lowBytes(merged)).toEqual(lowBytes(list))
        expect(merged).toHaveLength(fewest(lowBytes(list)))
        expect(merged).toEqual(merged.toSorted(comparePrefixes))
      })
    )
  })

  test('undoes a subtraction, around every word boundary of IPv6', () => {
    fc.assert(
      fc.property(crowdedIpv6Prefix, fc.array(crowdedIpv6Prefix, { maxLength: 5 }), (from, list) => {
        const holes = list.filter(
          (hole) => hole.length > from.length && prefixContainsAddress(from, hole.address)
        )
        const rest = subtractPrefixes(from, holes)
        expect(mergePrefixes([...rest, ...holes])).toEqual([from])
        for (const hole of holes)
          expect(rest.some((each) => prefixContainsAddress(each, hole.address))).toBe(false)
      })
    )
  })

  test('leaves the list that it was given as it was', () => {
    const list = ['10.0.0.1/32', '10.0.0.0/32'].map(prefix)
    mergePrefixes(list)
    expect(list.map(formatIpPrefix)).toEqual(['10.0.0.1/32', '10.0.0.0/32'])
  })
})

function prefix(text: string): IpPrefix {
  const parsed = parseIpPrefix(text)
  if (parsed === undefined) throw new Error(`bad prefix in a test: ${text}`)
  return parsed
}

/** Model: the addresses of 10.0.0.0/26 that lie in one of `prefixes`, one by one. */
function lowBytes(prefixes: readonly IpPrefix[]): number[] {
  return Array.from({ length: 64 }, (_, low) => low).filter((low) =>
    prefixes.some((each) => prefixContainsAddress(each, ipv4(0x0a000000 + low)))
  )
}

/** The fewest aligned blocks that hold exactly these numbers of 0 … 63. */
function fewest(numbers: readonly number[], start = 0, count = 64): number {
  const inside = numbers.filter((each) => each >= start && each < start + count).length
  if (inside === 0 || inside === count) return Math.sign(inside)
  return fewest(numbers, start, count / 2) + fewest(numbers, start + count / 2, count / 2)
}
