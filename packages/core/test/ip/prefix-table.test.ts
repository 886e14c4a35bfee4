import {
  PrefixTable,
  addressBits,
  comparePrefixes,
  equalPrefixes,
  formatIpPrefix,
  ipv4,
  ipv6,
  parseIpAddress,
  parseIpPrefix,
  prefixContains,
  prefixContainsAddress,
  prefixKey,
  prefixOf
} from '@breakwater/core'
import type { IpAddress, IpPrefix, PrefixEntry } from '@breakwater/core'
import * as fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { anyPrefix, crowdedIpv6Prefix, crowdedPrefix } from '../arbitrary/ip.ts'

const closePrefix = fc.oneof(crowdedPrefix, crowdedIpv6Prefix, anyPrefix)

const change = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('set' as const), prefix: closePrefix, value: fc.nat(99) })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), prefix: closePrefix }) }
)

describe('PrefixTable', () => {
  test('finds the longest of the prefixes that an address lies in', () => {
    const table = tableOf('0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '::/0', '2001:db8::/32')
    const match = (text: string): string | undefined =>
      table.longestMatch(parseIpAddress(text) ?? ipv4(0))?.value
    expect(match('10.1.2.3')).toBe('10.1.2.0/24')
    expect(match('10.1.3.3')).toBe('10.1.0.0/16')
    expect(match('10.2.0.0')).toBe('10.0.0.0/8')
    expect(match('11.0.0.0')).toBe('0.0.0.0/0')
    expect(match('2001:db8::1')).toBe('2001:db8::/32')
    expect(match('2001:db9::1')).toBe('::/0')
  })

  test('finds nothing where it has no entry, and nothing across families', () => {
    const table = tableOf('0.0.0.0/0')
    expect(table.longestMatch(ipv6(0, 0, 0, 0))).toBeUndefined()
    expect(table.inside(prefixOf(ipv6(0, 0, 0, 0), 0))).toEqual([])
    expect(new PrefixTable().longestMatch(ipv4(0))).toBeUndefined()
  })

  test('does what a plain list does, through any sequence of changes', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 60 }),
        fc.array(closePrefix, { maxLength: 8 }),
        (changes, asked) => {
          const table = new PrefixTable<number>(12345)
          const model = new Map<string, PrefixEntry<number>>()
          for (const each of changes) {
            const key = prefixKey(each.prefix)
            if (each.kind === 'delete') expect(table.delete(each.prefix)).toBe(model.delete(key))
            else {
              table.set(each.prefix, each.value)
              model.set(key, { prefix: each.prefix, value: each.value })
            }
          }
          expectLike(table, [...model.values()], [...asked, ...changes.map((each) => each.prefix)])
        }
      )
    )
  })

  test.each([32, 64, 96, 128])(
    'tells prefixes of length %i apart by each word, while most of them go',
    (length) => {
      const table = new PrefixTable<number>()
      const prefixes = Array.from({ length: length / 32 }, (_, word) => differingInWord(word, length)).flat()
      for (const [index, prefix] of prefixes.entries()) table.set(prefix, index)
      expect(table.size).toBe(prefixes.length)
      for (const [index, prefix] of prefixes.entries()) if (index % 8 !== 0) table.delete(prefix)
      for (const [index, prefix] of prefixes.entries())
        expect(table.get(prefix)).toBe(index % 8 === 0 ? index : undefined)
      for (const prefix of prefixes) table.delete(prefix)
      expect([...table]).toEqual([])
      expect(table.size).toBe(0)
    }
  )

  test.each([4, 6] as const)(
    'leaves out no length in a large table of IPv%i, whatever comes and goes',
    (family) => {
      const table = new PrefixTable<number>()
      const bits = addressBits(family)
      // Multiplying by an odd constant spreads the numbers, so that few prefixes share their leading bits.
      const address = (index: number): IpAddress => {
        const word = Math.imul(index, 0x9e3779b1)
        return family === 4 ? ipv4(word) : ipv6(word, index, 0, index)
      }
      const prefixes = Array.from({ length: 6000 }, (_, index) =>
        prefixOf(address(index), 8 + (index % (bits - 7)))
      )
      for (const [index, prefix] of prefixes.entries()) table.set(prefix, index)
      for (const [index, prefix] of prefixes.entries()) if (index % 3 === 0) table.delete(prefix)
      for (let index = 0; index < 6000; index += 2) {
        const lengths = Array.from({ length: bits + 1 }, (_, each) => bits - each)
        const length = lengths.find((each) => table.get(prefixOf(address(index), each)) !== undefined)
        expect(table.longestMatch(address(index))?.prefix.length).toBe(length)
      }
    }
  )

  test('agrees with ipaddr.js about which prefixes match', () => {
    fc.assert(
      fc.property(fc.array(crowdedPrefix, { minLength: 1, maxLength: 12 }), fc.nat(63), (prefixes, low) => {
        const table = tableOf(...prefixes.map(formatIpPrefix))
        const address = ipaddr.parse(`10.0.0.${low}`)
        const best = prefixes
          .filter((each) => address.match(ipaddr.parseCIDR(formatIpPrefix(each))))
          .toSorted((x, y) => y.length - x.length)[0]
        expect(table.longestMatch(ipv4(0x0a000000 + low))?.prefix).toEqual(best)
      })
    )
  })

  test('lists the entries inside a prefix whether it probes for them or scans', () => {
    const table = new PrefixTable<number>()
    for (let low = 0; low < 1000; low++) table.set(prefixOf(ipv4(0x0a000000 + low), 32), low)
    const inside = (text: string): number[] => table.inside(parsePrefix(text)).map((entry) => entry.value)
    expect(inside('10.0.0.8/29')).toEqual([8, 9, 10, 11, 12, 13, 14, 15])
    expect(inside('10.0.3.224/29')).toEqual([992, 993, 994, 995, 996, 997, 998, 999])
    expect(inside('10.0.3.232/29')).toEqual([])
    expect(inside('0.0.0.0/0')).toHaveLength(1000)
  })

  test.each([33, 64, 65, 96, 97, 128])('probes across words: entries of length %i', (length) => {
    const table = new PrefixTable<number>()
    // Several hundred entries, so that eight possible prefixes are the fewer.
    for (let word = 0; word < 400; word++) table.set(prefixOf(ipv6(8 * word, -1, -1, -1), length), word)
    const wanted = prefixOf(ipv6(56, -1, -1, -1), length)
    const found = table.inside(prefixOf(wanted.address, length - 3))
    expect(found.map((entry) => entry.prefix)).toEqual([wanted])
  })

  test('replaces the value of a prefix that is there already', () => {
    const table = new PrefixTable<string>()
    table.set(parsePrefix('192.0.2.0/24'), 'old')
    table.set(parsePrefix('192.0.2.0/24'), 'new')
    expect([...table]).toEqual([{ prefix: parsePrefix('192.0.2.0/24'), value: 'new' }])
    expect(table.size).toBe(1)
  })
})

function expectLike(
  table: PrefixTable<number>,
  model: readonly PrefixEntry<number>[],
  asked: readonly IpPrefix[]
): void {
  expect(table.size).toBe(model.length)
  expect([...table].toSorted(byPrefix)).toEqual(model.toSorted(byPrefix))
  for (const prefix of asked) {
    expect(table.get(prefix)).toBe(model.find((entry) => equalPrefixes(entry.prefix, prefix))?.value)
    expect(table.longestMatch(prefix.address)).toEqual(
      longest(model.filter((entry) => prefixContainsAddress(entry.prefix, prefix.address)))
    )
    expect(table.longestCover(prefix)).toEqual(
      longest(model.filter((entry) => prefixContains(entry.prefix, prefix)))
    )
    expect(table.inside(prefix)).toEqual(
      model.filter((entry) => prefixContains(prefix, entry.prefix)).toSorted(byPrefix)
    )
  }
}

function longest(entries: readonly PrefixEntry<number>[]): PrefixEntry<number> | undefined {
  return entries.toSorted((x, y) => y.prefix.length - x.prefix.length)[0]
}

function tableOf(...texts: readonly string[]): PrefixTable<string> {
  const table = new PrefixTable<string>()
  for (const text of texts) table.set(parsePrefix(text), text)
  return table
}

function parsePrefix(text: string): IpPrefix {
  const parsed = parseIpPrefix(text)
  if (parsed === undefined) throw new Error(`bad prefix in a test: ${text}`)
  return parsed
}

function byPrefix(x: PrefixEntry<number>, y: PrefixEntry<number>): number {
  return comparePrefixes(x.prefix, y.prefix)
}

function differingInWord(word: number, length: number): IpPrefix[] {
  return Array.from({ length: 1000 }, (_, index) => {
    const [a, b, c, d] = [0, 1, 2, 3].map((each) => (each === word ? index + 1 : 0))
    return prefixOf(ipv6(a ?? 0, b ?? 0, c ?? 0, d ?? 0), length)
  })
}
