import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PskServer } from '../e2e/psk-server.ts'
import { honestHandshakes } from './honest-handshakes.ts'
import type { Storm } from './honest-handshakes.ts'

const server = new PskServer()
beforeAll(() => server.start())
afterAll(() => server.remove())

const storms: readonly Storm[] = [
  { kind: 'spoofed', hellosPerSecond: 3000 },
  { kind: 'verified', hellosPerSecond: 200 }
]

describe('while strangers send hellos without end', () => {
  for (const storm of storms)
    it(`every honest client gets its session, and the slowest before it would ask again: ${storm.hellosPerSecond} ${storm.kind} hellos/s`, async () => {
      const idle = await honestHandshakes(server, 30)
      const busy = await honestHandshakes(server, 60, storm)
      expect(busy).toMatchObject({ established: 60, droppedPerSecond: 0 })
      expect(busy.hellosPerSecond).toBeGreaterThan(idle.hellosPerSecond)
      // RFC 6347 §4.2.4.1: a hello that was lost would be said again after 1 s.
      expect(busy.p99Ms).toBeLessThan(1000)
    })
})
