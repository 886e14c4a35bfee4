import { Instant, formatIpPrefix } from '@breakwater/core'
import { ProtectionId } from '@breakwater/dots'
import type { ProtectionRequest } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { prefix } from '../addressing.ts'
import type { ClassFact, Facts } from './facts.ts'
import { Oracle, halvedAt } from './oracle.ts'

const at = Instant(0)

const nothing: Facts = {
  classes: [],
  services: [],
  consents: [],
  filters: [],
  internal: [],
  translations: [],
  standing: [],
  borders: []
}

function fact(text: string, ...servers: number[]): ClassFact {
  return {
    prefix: prefix(text),
    isProviderIndependent: false,
    owners: servers,
    entitled: servers,
    heaps: servers.map((server) => [server]),
    uncovered: []
  }
}

function wish(allowPartial: boolean, ...prefixes: string[]): ProtectionRequest {
  const target = { prefixes: prefixes.map(prefix), ports: [], protocols: [] }
  return { id: ProtectionId('wish'), target, lifetime: 600, allowPartial, require: 'all' }
}

/** Server 0 assigned a prefix of which a piece is server 1's. */
const nested = [fact('198.51.100.0/24', 0), fact('198.51.100.64/26', 1)]
const oracle = new Oracle(() => ({ ...nothing, classes: nested, borders: nested.map((each) => each.prefix) }))

function asked(request: ProtectionRequest): string[] {
  return oracle
    .expect(request, at)
    .asked.map(
      ({ servers, prefixes }) =>
        `${servers.join(' ')}: ${prefixes.map((each) => formatIpPrefix(each)).join(' ')}`
    )
}

describe('the oracle of whom a target is for', () => {
  it('goes by the longest match, and parts what crosses its border', () => {
    expect(asked(wish(false, '198.51.100.0/24'))).toEqual([
      '0: 198.51.100.0/26 198.51.100.128/25',
      '1: 198.51.100.64/26'
    ])
    expect(oracle.mayHear(0, prefix('198.51.100.0/26'), at)).toBe(true)
    expect(oracle.mayHear(0, prefix('198.51.100.0/24'), at)).toBe(false)
    expect(oracle.mayHear(1, prefix('198.51.100.64/32'), at)).toBe(true)
  })

  it('lets one piece that is nobody’s refuse all, unless a part is enough', () => {
    const wide = oracle.expect(wish(false, '198.51.100.0/23'), at)
    expect([wide.isForeign, wide.isRefused, wide.asked]).toEqual([true, true, []])
    expect(asked(wish(true, '198.51.100.0/23'))).toHaveLength(2)
  })

  it('halves a prefix at every border inside, and nowhere else', () => {
    const pieces = halvedAt(prefix('10.0.0.0/8'), [prefix('10.0.0.0/10'), prefix('11.0.0.0/8')])
    expect(pieces.map((each) => formatIpPrefix(each))).toEqual([
      '10.0.0.0/10',
      '10.64.0.0/10',
      '10.128.0.0/9'
    ])
  })

  it('takes what is internal outside by each domain that translates it, and lets the rest wait', () => {
    const internal = [prefix('10.0.0.0/8')]
    const translations = [
      { domain: 0, internal: prefix('10.1.0.0/24'), external: prefix('198.51.100.0/24') },
      { domain: 1, internal: prefix('10.0.0.0/9'), external: prefix('198.51.100.65/32') }
    ]
    const borders = nested.map((each) => each.prefix)
    const behind = new Oracle(() => ({ ...nothing, classes: nested, borders, internal, translations }))
    const inside = behind.expect(wish(false, '10.1.0.1/32'), at)
    expect(
      inside.asked.map(({ servers, prefixes }) => [servers, prefixes.map((each) => formatIpPrefix(each))])
    ).toEqual([
      [[0], ['198.51.100.1/32']],
      [[1], ['198.51.100.65/32']]
    ])
    expect(behind.expect(wish(false, '10.200.0.1/32'), at)).toMatchObject({ asked: [], isWaiting: true })
  })
})
