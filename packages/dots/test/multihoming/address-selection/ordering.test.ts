import type { IpAddress } from '@breakwater/core'
import { array, assert, boolean, constantFrom, pre, property, record } from 'fast-check'
import type { Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_POLICY } from '../../../src/multihoming/address-selection/default-policy.ts'
import {
  destinationRules,
  rule9LongestMatchingPrefix
} from '../../../src/multihoming/address-selection/destination-rules.ts'
import { orderDestinations } from '../../../src/multihoming/address-selection/destination-selection.ts'
import type { LocalAddress } from '../../../src/domain/local-address.ts'
import { firstDecision } from '../../../src/multihoming/address-selection/rule.ts'
import type {
  Destination,
  SelectionContext
} from '../../../src/multihoming/address-selection/selection-context.ts'
import { sourceRules } from '../../../src/multihoming/address-selection/source-rules.ts'
import { orderSources } from '../../../src/multihoming/address-selection/source-selection.ts'
import { policyWith, row } from '../selection-host.ts'
import { ip } from '../sites.ts'

/* Whatever addresses a host has: the rules order them, and the order is the rules'. */

const sourceTexts = [
  '2001:db8:a::1',
  '2001:db8:a::2',
  '2001:db8:b::1',
  '2002:c000:201::1',
  'fd00::1',
  'fe80::1',
  'fec0::1',
  '::1',
  '10.0.0.1',
  '192.0.2.1',
  '169.254.1.1',
  '3ffe::1',
  '2001::1'
]
const destinationTexts = [
  ...sourceTexts,
  '2001:db8:a::9',
  '2001:db8:b::9',
  'fe80::9',
  '10.0.0.9',
  '198.51.100.9',
  'ff05::1'
]
const routers = [ip('fe80::1:1'), ip('fe80::2:2')]
const interfaces = [
  { name: 'wan-a' },
  { name: 'wan-b', isForwarding: true },
  { name: 'tunnel', isForwarding: true, isEncapsulating: true }
]
const tables = [DEFAULT_POLICY, policyWith(row('::ffff:0:0/96', 40, 1), row('2002::/16', 40, 1))]

const locals: Arbitrary<LocalAddress> = record({
  address: constantFrom(...sourceTexts.map(ip)),
  prefixLength: constantFrom(8, 24, 32),
  interface: constantFrom(...interfaces),
  state: constantFrom('preferred', 'deprecated', 'optimistic'),
  isTemporary: boolean(),
  mobility: constantFrom('at-home', 'home', 'care-of'),
  advertisedBy: constantFrom<readonly IpAddress[]>(...routers.map((each) => [each]), routers)
})

const destinations: Arbitrary<Destination> = record({
  address: constantFrom(...destinationTexts.map(ip)),
  route: record({ interface: constantFrom(...interfaces), nextHop: constantFrom(...routers) }),
  isUnreachable: boolean()
})

const contexts: Arbitrary<SelectionContext> = record({
  locals: array(locals, { maxLength: 8 }),
  policy: constantFrom(...tables),
  preferences: record({ prefersPublic: boolean(), prefersCareOf: boolean() })
})

const compareSources = firstDecision(sourceRules)
const compareDestinations = firstDecision(destinationRules)

describe('the rules for sources', () => {
  it('are each a weak order: no circles, and whatever ties with the same ties with each other', () => {
    assert(
      property(contexts, destinations, locals, locals, locals, (context, destination, x, y, z) => {
        const question = { context, destination }
        for (const rule of sourceRules) {
          const sign = (a: LocalAddress, b: LocalAddress): number => Math.sign(rule(a, b, question))
          expect(sign(x, y) + sign(y, x)).toBe(0)
          if (sign(x, y) <= 0 && sign(y, z) <= 0) expect(sign(x, z)).toBe(Math.min(sign(x, y), sign(y, z)))
        }
      })
    )
  })

  it('order all candidates, keep ties as they came, and leave an ordered list alone', () => {
    assert(
      property(contexts, destinations, (context, destination) => {
        const sorted = orderSources(context, destination)
        const question = { context, destination }
        for (const [index, x] of sorted.entries())
          for (const y of sorted.slice(index + 1)) {
            const decision = compareSources(x, y, question)
            expect(decision).toBeLessThanOrEqual(0)
            if (decision === 0) expect(context.locals.indexOf(x)).toBeLessThan(context.locals.indexOf(y))
          }
        expect(orderSources({ ...context, locals: sorted }, destination)).toEqual(sorted)
      })
    )
  })

  it('choose the same source in whatever order the candidates come, where one beats all others', () => {
    assert(
      property(contexts, destinations, (context, destination) => {
        const [best, second] = orderSources(context, destination)
        const isTie = best && second && compareSources(best, second, { context, destination }) === 0
        pre(best !== undefined && isTie !== true)
        const reversed = { ...context, locals: context.locals.toReversed() }
        expect(orderSources(reversed, destination)[0]).toEqual(best)
      })
    )
  })
})

describe('the rules for destinations', () => {
  it('lose no destination and add none', () => {
    assert(
      property(contexts, array(destinations, { maxLength: 8 }), (context, wanted) => {
        const sorted = orderDestinations(context, wanted).map(({ destination }) => destination)
        expect(new Set(sorted)).toEqual(new Set(wanted))
        expect(sorted).toHaveLength(wanted.length)
      })
    )
  })

  it('hold between any two of the order', () => {
    assert(
      property(contexts, array(destinations, { maxLength: 8 }), (context, wanted) => {
        const sorted = orderDestinations(context, wanted)
        for (const [index, x] of sorted.entries())
          for (const y of sorted.slice(index + 1)) {
            const decision = compareDestinations(x, y, context)
            expect(decision).toBeLessThanOrEqual(0)
            if (decision < 0 || x.destination.address.family !== y.destination.address.family) continue
            const length = rule9LongestMatchingPrefix(x, y)
            expect(length).toBeLessThanOrEqual(0)
            if (length === 0)
              expect(wanted.indexOf(x.destination)).toBeLessThanOrEqual(wanted.indexOf(y.destination))
          }
      })
    )
  })

  it('leave an ordered list alone', () => {
    assert(
      property(contexts, array(destinations, { maxLength: 8 }), (context, wanted) => {
        const once = orderDestinations(context, wanted).map(({ destination }) => destination)
        expect(orderDestinations(context, once).map(({ destination }) => destination)).toEqual(once)
      })
    )
  })

  it('give each destination the source that source selection gives it', () => {
    assert(
      property(contexts, array(destinations, { maxLength: 8 }), (context, wanted) => {
        for (const { destination, source } of orderDestinations(context, wanted)) {
          const [best] = orderSources(context, destination)
          expect(source).toBe(best)
          if (source !== undefined) expect(source.address.family).toBe(destination.address.family)
        }
      })
    )
  })
})
