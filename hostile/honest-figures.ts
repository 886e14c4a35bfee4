import { PskServer } from '../e2e/psk-server.ts'
import { honestHandshakes } from './honest-handshakes.ts'
import type { HonestHandshakes } from './honest-handshakes.ts'

/** A budget for hellos without a cookie of which the flood is three times as much. */
const narrow = 'limits: { dtls: { unverifiedHellosPerSecond: 1000 } }'

/** Times of honest handshakes: on a server at rest, and during floods within its budget and above it. */
export async function* honestFigures(tries: number): AsyncGenerator<HonestHandshakes> {
  for (const more of ['', narrow]) {
    const server = new PskServer({ more })
    try {
      await server.start()
      if (more === narrow) {
        yield await honestHandshakes(server, tries, { kind: 'spoofed', hellosPerSecond: 3000 }, true)
        continue
      }
      yield await honestHandshakes(server, tries)
      yield await honestHandshakes(server, tries, { kind: 'spoofed', hellosPerSecond: 3000 })
      yield await honestHandshakes(server, tries)
      yield await honestHandshakes(server, tries, { kind: 'verified', hellosPerSecond: 200 })
    } finally {
      await server.remove()
    }
  }
}
