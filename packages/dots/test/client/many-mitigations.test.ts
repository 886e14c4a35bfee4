import { Minutes, Seconds } from '@breakwater/core'
import type { PacingViolation } from '@breakwater/testing'
import { PacingAuditor, auditedEndpoints } from '@breakwater/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { MOST_SINGLE_OBSERVATIONS } from '../../src/client/requests/request-ledger.ts'
import { TwoProviders, targetOf } from './two-providers.ts'

/** Each for an address of its own: what has the same target would be one request. */
const MANY = 250

let world: TwoProviders
beforeEach(() => {
  world = new TwoProviders()
})
afterEach(() => world.close())

it('250 mitigations are followed by the observation of all of them, with few observations beside it', async () => {
  const violations: PacingViolation[] = []
  const auditor = new PacingAuditor({ report: (violation) => violations.push(violation) })
  await world.startServer('isp-a')
  world.startClient({
    open: auditedEndpoints(world.siteHost.openSecureEndpoint, {
      clock: world.clock,
      role: 'client',
      pairOf: () => 'isp-a',
      take: (datagram) => auditor.take(datagram)
    })
  })
  await world.advance(Seconds(1))
  const ids = Array.from({ length: MANY }, (_, index) => `host-${index}`)
  for (const [index, id] of ids.entries())
    world.protect(id, {
      ...targetOf(`198.51.100.${index}/32`),
      ports: [{ lower: 1000 + index, upper: 1000 + index }]
    })
  await world.advance(Minutes(3))
  expect(ids.filter((id) => world.state(id) !== 'protected')).toEqual([])
  expect(world.providers['isp-a'].mitigator.plans.size).toBe(MANY)

  const questions = world.sent.filter(
    ({ method, mitigationId }) => method === 'GET' && mitigationId !== undefined
  )
  expect(new Set(questions.map(({ path }) => path)).size).toBeLessThanOrEqual(MOST_SINGLE_OBSERVATIONS)
  expect(violations).toEqual([])
})
