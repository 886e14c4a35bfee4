import { parseIpPrefix } from '@breakwater/core'
import { PlanId, type Target } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'

import { rulesOfPlan } from '../src/nftables/rule.ts'

function target(prefixes: readonly string[], more: Partial<Target> = {}): Target {
  return {
    prefixes: prefixes.map((text) => parseIpPrefix(text) ?? expect.fail(text)),
    ports: [],
    protocols: [],
    ...more
  }
}

function rules(wanted: Target): readonly (readonly unknown[])[] {
  return rulesOfPlan({ id: PlanId('p'), action: 'discard', target: wanted })
}

function rightSides(wanted: Target): unknown[] {
  return rules(wanted).flatMap((rule) =>
    rule
      .map((expression) => (expression as { match?: { right: unknown } }).match?.right)
      .filter((right) => right !== undefined)
  )
}

describe('the nftables rules of a plan', () => {
  it('are one per address family, each with a counter before its drop', () => {
    const made = rules(target(['198.51.100.0/28', '2001:db8:101::/48']))
    expect(made).toHaveLength(2)
    for (const rule of made)
      expect(rule.slice(-2)).toEqual([{ counter: { packets: 0, bytes: 0 } }, { drop: null }])
  })

  it('join prefixes that cover each other, since a set must not overlap itself', () => {
    expect(rightSides(target(['198.51.100.0/25', '198.51.100.128/25', '198.51.100.7/32']))).toEqual([
      { prefix: { addr: '198.51.100.0', len: 24 } }
    ])
  })

  it('join port ranges that touch or overlap', () => {
    const ports = [
      { lower: 90, upper: 95 },
      { lower: 80, upper: 80 },
      { lower: 81, upper: 92 }
    ]
    expect(rightSides(target(['198.51.100.1/32'], { ports, protocols: [17] }))).toEqual([
      { prefix: { addr: '198.51.100.1', len: 32 } },
      17,
      { range: [80, 95] }
    ])
  })

  it('ask for ports only of protocols that have them', () => {
    const ports = [{ lower: 53, upper: 53 }]
    expect(rightSides(target(['198.51.100.1/32'], { ports, protocols: [1, 17] }))[1]).toBe(17)
    expect(rightSides(target(['198.51.100.1/32'], { ports }))[1]).toEqual({ set: [6, 17, 33, 132, 136] })
  })

  it('are none where ports are asked for a protocol without ports', () => {
    expect(rules(target(['198.51.100.1/32'], { ports: [{ lower: 1, upper: 2 }], protocols: [1] }))).toEqual(
      []
    )
  })
})
