import { decodeSignalJson, signalToJson } from '@breakwater/model'
import type { JsonObject } from '@breakwater/model'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { jsonFaultOf } from '../packages/model/test/json/fault.ts'
import { conformingBodies } from './conforming-body.ts'
import { mutated } from './json-mutation.ts'
import { differences, explanation } from './yang-difference.ts'
import { Yanglint, hasYangModules, hasYanglint, withoutWrapper, yangFolder } from './yanglint.ts'

test('the container around a message is a case in YANG, and no data node', () => {
  expect(withoutWrapper(signalToJson({ heartbeat: { peerHbStatus: true } }))).toEqual({
    'ietf-dots-signal-channel:dots-signal': { 'peer-hb-status': true }
  })
})

if (!hasYangModules) console.log(`interop/yang: nothing validated, ${yangFolder} is absent`)
else
  describe.skipIf(!hasYanglint)('yanglint (Debian package libyang-tools) and the model', () => {
    let yanglint: Yanglint
    beforeAll(() => void (yanglint = new Yanglint()))
    afterAll(() => yanglint.remove())

    it('finds what we write valid', () => {
      fc.assert(
        fc.property(conformingBodies(), (body) => {
          expect(yanglint.problemOf(body)).toBeUndefined()
          expect(signalToJson(decodeSignalJson(body))).toEqual(body)
        }),
        { numRuns: 150 }
      )
    }, 120_000)

    it('agrees with us on what is valid among bodies with a wrong', () => {
      const seen = { valid: 0, invalid: 0 }
      fc.assert(
        fc.property(
          conformingBodies(),
          // Without bias: the first of many variants would be taken most of the time.
          fc.infiniteStream(fc.noBias(fc.nat(999_999))),
          (body, numbers) => {
            const wrong = mutated(body, () => (numbers.next().value as number) / 1_000_000)
            const fault = jsonFaultOf(wrong)
            const problem = yanglint.problemOf(wrong)
            if ((fault === 'decoded') === (problem === undefined))
              seen[problem === undefined ? 'valid' : 'invalid']++
            else
              expect(
                explanation(fault, problem, wrong),
                `${fault}; yanglint: ${problem}; ${JSON.stringify(wrong)}`
              ).toBeDefined()
          }
        ),
        { numRuns: 200 }
      )
      expect(seen.valid).toBeGreaterThan(5)
      expect(seen.invalid).toBeGreaterThan(50)
    }, 120_000)

    it.each(differences)('differs still: $why', ({ why, example }) => {
      const body = JSON.parse(example) as JsonObject
      const fault = jsonFaultOf(example)
      const problem = yanglint.problemOf(body)
      expect(fault === 'decoded').not.toBe(problem === undefined)
      expect(explanation(fault, problem, body)).toBe(why)
    })
  })
