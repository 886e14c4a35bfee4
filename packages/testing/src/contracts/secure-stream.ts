import { afterEach, beforeEach, describe } from 'vitest'
import { streamCredentialCases } from './secure-stream-credentials.ts'
import { streamEndingCases } from './secure-stream-endings.ts'
import { streamLimitCases } from './secure-stream-limits.ts'
import { streamSessionCases } from './secure-stream-sessions.ts'
import { streamTrafficCases } from './secure-stream-traffic.ts'
import type { CurrentStreamWorld, SecureStreamWorld } from './secure-stream-world.ts'

/**
 * The suite that every `OpenSecureStream` must pass. Call it at the top of a test file; `makeWorld` is called before each
 * test and the world closed after it.
 *
 * ```ts
 * secureStreamContract('TLS on loopback', () => Promise.resolve(new TlsWorld(credentials)))
 * ```
 */
export function secureStreamContract(name: string, makeWorld: () => Promise<SecureStreamWorld>): void {
  describe(`secure stream contract: ${name}`, () => {
    let world: SecureStreamWorld
    beforeEach(async () => {
      world = await makeWorld()
    })
    afterEach(() => world.close())

    const current: CurrentStreamWorld = () => world
    describe('sessions', () => streamSessionCases(current))
    describe('credentials', () => streamCredentialCases(current))
    describe('traffic', () => streamTrafficCases(current))
    describe('endings', () => streamEndingCases(current))
    describe('limits', () => streamLimitCases(current))
  })
}
