import { ipv4 } from '@breakwater/core'
import { expect } from 'vitest'
import { ContentType } from '../../packages/dtls/test/dtls-wire.ts'
import { by } from './forged.ts'
import type { DtlsAttack } from './forged.ts'

/** All the places there are. */
export const exhaustion: readonly DtlsAttack[] = [
  by(
    'handshakes that nobody ends',
    'all places for handshakes',
    'RFC 4732 §2.1 (SYN flood); RFC 9132 §11',
    'silence for all beyond the share of one source',
    'hellosOverLimit',
    (world) => {
      for (let port = 1; port <= 1400; port++) world.clientAt(port).begin()
      const stats = world.server.stats()
      expect(stats['handshaking']).toBeLessThanOrEqual(1250)
      world.client({ address: ipv4(0xc0a80001), port: 9 }).handshake()
      expect(world.takeSessions()).toBe(1)
    }
  ),
  by(
    'failures that are not given back',
    'a place for each handshake that failed, for ever',
    'Californium CVE-2022-39368',
    'alert; each place is free again',
    'hellosVerified',
    (world) => {
      for (let round = 0; round < 3000; round++) {
        const client = world.client({ address: ipv4(0x0a030000 + round), port: 5 })
        client.begin()
        client.feed(client.plaintext(ContentType.alert, Buffer.of(2, 40)))
        if (round % 100 === 0) world.server.take()
      }
      world.server.take()
      world.expectNothingKept()
    }
  )
]
