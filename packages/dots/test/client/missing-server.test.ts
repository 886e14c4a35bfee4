import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { ReconnectionRule } from '../../src/client/connection/reconnection.ts'
import { TwoProviders, targetOf } from './two-providers.ts'

/** Round trips of a simulated handshake, and a repeated flight of it. */
const HANDSHAKE_SECONDS = 2

/** How long the client asks in vain before what it wants is served, when its server is missing for so long from the start on. */
async function recoverySeconds(
  missingSeconds: number,
  reconnection: Partial<ReconnectionRule>
): Promise<number> {
  const world = new TwoProviders()
  await world.startServer('isp-b')
  world.startClient({ reconnection })
  world.protect('web', targetOf('198.51.100.7/32'))
  await world.advance(Seconds(missingSeconds))
  await world.startServer('isp-a')
  let seconds = 0
  for (; seconds < 400 && world.state('web') !== 'protected'; seconds++) await world.advance(Seconds(1))
  expect(closestAttempts(world)).toBeGreaterThanOrEqual(60)
  expect(world.wrongServerRequests()).toEqual([])
  await world.close()
  return seconds
}

/** The shortest time between the starts of two handshakes with the server of isp-a. */
function closestAttempts(world: TwoProviders): number {
  const starts = world.clientEndpointConnects('isp-a').map(({ at }) => at)
  return Math.min(...starts.slice(1).map((at, index) => (at - starts[index]!) / 1000))
}

describe('a DOTS server that is missing at the start', () => {
  // Wherever in an attempt it comes back: its flights leave 0, 1, 3, 7, 15 and 31 s after its start, and it ends after 60 s.
  const phases = [2, 14, 32, 45, 59, 61, 92, 110]

  it.each(phases.map((phase) => 240 + phase))(
    'for %i s is asked within the retry interval and a handshake, where that is 60 s',
    async (seconds) => {
      const took = await recoverySeconds(seconds, { firstRetrySeconds: 60, retrySeconds: 60 })
      expect(took).toBeLessThanOrEqual(60 + HANDSHAKE_SECONDS)
    }
  )

  // By the default rule attempts start after 0, 60, 180, 420, 720, 1020 s.
  it.each(phases.map((phase) => 720 + phase))(
    'for %i s is asked within the retry interval and a handshake, by default 300 s',
    async (seconds) => {
      expect(await recoverySeconds(seconds, {})).toBeLessThanOrEqual(300 + HANDSHAKE_SECONDS)
    }
  )
})
