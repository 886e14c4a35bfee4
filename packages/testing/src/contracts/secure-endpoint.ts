import { afterEach, beforeEach, describe } from 'vitest'
import { credentialCases } from './secure-endpoint-credentials.ts'
import { endingCases } from './secure-endpoint-endings.ts'
import { limitCases } from './secure-endpoint-limits.ts'
import { lossCases } from './secure-endpoint-loss.ts'
import { sessionCases } from './secure-endpoint-sessions.ts'
import { trafficCases } from './secure-endpoint-traffic.ts'
import type { CurrentWorld, SecureEndpointWorld } from './secure-endpoint-world.ts'

/**
 * The suite that every `OpenSecureEndpoint` must pass. Call it at the top of a test file; `makeWorld` is called before
 * each test and the world closed after it.
 *
 * ```ts
 * secureEndpointContract('the simulated secure endpoint', () => Promise.resolve(simulatedWorld(1)))
 * ```
 */
export function secureEndpointContract(name: string, makeWorld: () => Promise<SecureEndpointWorld>): void {
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
    describe('loss', () => lossCases(current))
  })
}
