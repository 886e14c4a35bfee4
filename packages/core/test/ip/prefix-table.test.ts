import {
  PrefixTable,
  addressBits,
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

const entry = fc.record({ prefix: closePrefix, value: fc.nat(9) })

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
    expect(new PrefixTable().longestMatch(ipv4(0))).toBeUndefined()
  })

  test('does what a plain list does', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 60 }),
        fc.array(closePrefix, { maxLength: 8 }),
        (entries, asked) => {
          const byKey = new Map(entries.map((each) => [prefixKey(each.prefix), each]))
          expectLike(
            new PrefixTable(entries),
            [...byKey.values()],
            [...asked, ...entries.map((each) => each.prefix)]
          )
        }
      )
    )
  })

  test.each([32, 33, 64, 65, 96, 97, 128])('tells prefixes of length %i apart by each word', (length) => {
    const prefixes = Array.from({ length: Math.ceil(length / 32) }, (_, word) =>
      differingInWord(word, length)
    )
    const once = new Map(prefixes.flat().map((prefix) => [prefixKey(prefix), prefix]))
    const table = new PrefixTable([...once].map(([value, prefix]) => ({ prefix, value })))
    expect(table.size).toBe(once.size)
    for (const [key, prefix] of once) expect(table.coveringValue(prefix)).toBe(key)
  })

  test.each([4, 6] as const)('leaves out no length in a large table of IPv%i', (family) => {
    const bits = addressBits(family)
    // Multiplying by an odd constant spreads the numbers, so that few prefixes share their leading bits.
    const address = (index: number): IpAddress => {
      const word = Math.imul(index, 0x9e3779b1)
      return family === 4 ? ipv4(word) : ipv6(word, index, 0, index)
    }
    const prefixes = Array.from({ length: 6000 }, (_, index) =>
      prefixOf(address(index), 8 + (index % (bits - 7)))
    )
    const keys = new Set(prefixes.map(prefixKey))
    const table = new PrefixTable(prefixes.map((prefix) => ({ prefix, value: prefixKey(prefix) })))
    for (let index = 0; index < 12_000; index += 2) {
      const lengths = Array.from({ length: bits + 1 }, (_, each) => bits - each)
      const length = lengths.find((each) => keys.has(prefixKey(prefixOf(address(index), each))))
      const match = table.longestMatch(address(index))
      expect(match?.prefix.length).toBe(length)
      expect(match?.value).toBe(
        length === undefined ? undefined : prefixKey(prefixOf(address(index), length))
      )
    }
  })

  test('finds the first and the last address there is, and what lies before, between and behind all prefixes', () => {
    const table = tableOf('0.0.0.0/32', '10.0.0.0/8', '10.255.255.255/32', '255.255.255.255/32')
    const match = (text: string): string | undefined =>
      table.longestMatch(parseIpAddress(text) ?? ipv4(0))?.value
    expect(match('0.0.0.0')).toBe('0.0.0.0/32')
    expect(match('0.0.0.1')).toBeUndefined()
    expect(match('10.255.255.254')).toBe('10.0.0.0/8')
    expect(match('10.255.255.255')).toBe('10.255.255.255/32')
    expect(match('11.0.0.0')).toBeUndefined()
    expect(match('255.255.255.254')).toBeUndefined()
    expect(match('255.255.255.255')).toBe('255.255.255.255/32')
  })

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

  test('takes the last of several values for a prefix', () => {
    const prefix = parsePrefix('192.0.2.0/24')
    const table = new PrefixTable([
      { prefix, value: 'old' },
      { prefix, value: 'new' }
    ])
    expect(table.coveringValue(prefix)).toBe('new')
    expect(table.size).toBe(1)
  })
})

function expectLike(
  table: PrefixTable<number>,
  model: readonly PrefixEntry<number>[],
  asked: readonly IpPrefix[]
): void {
  expect(table.size).toBe(model.length)
  for (const prefix of asked) {
    expect(table.longestMatch(prefix.address)).toEqual(
      longest(model.filter((each) => prefixContainsAddress(each.prefix, prefix.address)))
    )
    const cover = longest(model.filter((each) => prefixContains(each.prefix, prefix)))
    expect(table.longestCover(prefix)).toEqual(cover)
    expect(table.coveringValue(prefix)).toBe(cover?.value)
  }
}

function longest(entries: readonly PrefixEntry<number>[]): PrefixEntry<number> | undefined {
  return entries.toSorted((x, y) => y.prefix.length - x.prefix.length)[0]
}

function tableOf(...texts: readonly string[]): PrefixTable<string> {
  return new PrefixTable(texts.map((text) => ({ prefix: parsePrefix(text), value: text })))
}

function parsePrefix(text: string): IpPrefix {
  const parsed = parseIpPrefix(text)
  if (parsed === undefined) throw new Error(`bad prefix in a test: ${text}`)
  return parsed
}

function differingInWord(word: number, length: number): IpPrefix[] {
  return Array.from({ length: 1000 }, (_, index) => {
    const [a, b, c, d] = [0, 1, 2, 3].map((each) => (each === word ? index + 1 : 0))
    return prefixOf(ipv6(a ?? 0, b ?? 0, c ?? 0, d ?? 0), length)
  })
}
