import * as fc from 'fast-check'
import { ipv4, prefixOf } from '@breakwater/core'
import { expect, it } from 'vitest'
import type { Target } from '../../src/domain/target.ts'
import { OverlapIndex } from '../../src/multihoming/overlap-index.ts'
import { targetsOverlap } from '../../src/multihoming/overlap.ts'
import { target } from './sites.ts'

const closeTarget: fc.Arbitrary<Target> = fc
  .array(fc.tuple(fc.nat(0xff), fc.integer({ min: 20, max: 32 })), { maxLength: 3 })
  .map((prefixes) => {
    return {
      prefixes: prefixes.map(([low, length]) => prefixOf(ipv4(0xc0000200 + low), length)),
      ports: [],
      protocols: []
    }
  })

it('finds what contains a target, what lies in it, and nothing beside it', () => {
  const things = ['192.0.2.0/24', '192.0.2.64/26', '192.0.2.65/32', '192.0.2.128/25', '192.0.3.0/24'].map(
    (each) => ({ target: target(each) })
  )
  const found = new OverlapIndex(things).overlapping(target('192.0.2.64/27'))
  expect(found).toEqual(things.slice(0, 3))
})

it('finds what comparing with each one finds', () => {
  fc.assert(
    fc.property(fc.array(closeTarget, { maxLength: 30 }), closeTarget, (targets, asked) => {
      const things = targets.map((each) => ({ target: each }))
      expect(new OverlapIndex(things).overlapping(asked)).toEqual(
        things.filter((thing) => targetsOverlap(thing.target, asked))
      )
    }),
    { numRuns: 500 }
  )
})
