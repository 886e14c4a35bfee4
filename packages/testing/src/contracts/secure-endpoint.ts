import { afterEach, beforeEach, describe } from 'vitest'
import { credentialCases } from './secure-endpoint-credentials.ts'
import { crashCases, endingCases } from './secure-endpoint-endings.ts'
import { hintCases } from './secure-endpoint-hints.ts'
import { limitCases } from './secure-endpoint-limits.ts'
import { lossCases } from './secure-endpoint-loss.ts'
import { sessionCases, wildcardCases } from './secure-endpoint-sessions.ts'
import { trafficCases, uncaughtCases } from './secure-endpoint-traffic.ts'
import type { CurrentWorld, SecureEndpointWorld, WorldAbility } from './secure-endpoint-world.ts'

/**
 * The suite that every `OpenSecureEndpoint` must pass. Call it at the top of a test file; `makeWorld` is called before
 * each test and the world closed after it.
 *
 * ```ts
 * secureEndpointContract('the simulated secure endpoint', () => Promise.resolve(simulatedWorld(1)))
 * ```
 *
 * @param lacks what this world cannot do by its nature: the tests of it do not exist then. A test that finds its world
 * without an ability that is not listed here is skipped, which CI takes for a failure.
 */
export function secureEndpointContract(
  name: string,
  makeWorld: () => Promise<SecureEndpointWorld>,
  lacks: readonly WorldAbility[] = []
): void {
  describe(`secure endpoint contract: ${name}`, () => {
    let world: SecureEndpointWorld
    beforeEach(async () => {
      world = await makeWorld()
    })
    afterEach(() => world.close())

    const current: CurrentWorld = () => world
    describe('sessions', () => sessionCases(current))
    describe('credentials', () => credentialCases(current))
    describe('traffic', () => trafficCases(current))
    describe('endings', () => endingCases(current))
    describe('limits', () => limitCases(current))
    if (!lacks.includes('wildcard')) describe('the wildcard address', () => wildcardCases(current))
    if (!lacks.includes('uncaught')) describe('uncaught errors', () => uncaughtCases(current))
    if (!lacks.includes('crash')) describe('crashes', () => crashCases(current))
    if (!lacks.includes('icmp')) describe('what others say of paths', () => hintCases(current))
    if (!lacks.includes('loss')) describe('loss', () => lossCases(current))
  })
}
