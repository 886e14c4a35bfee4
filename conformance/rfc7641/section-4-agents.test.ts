import { OptionNumber, readUint } from '@breakwater/coap'
import { Minutes, Seconds } from '@breakwater/core'
import { DEFAULT_SERVER_POLICY } from '@breakwater/dots'
import { describe, expect, test } from 'vitest'

import { only, ServerBed } from '../../packages/dots/test/server/server-bed.ts'
import type { Seen } from '../../packages/dots/test/server/server-bed.ts'

/** What RFC 7641 asks of applications, at the DOTS server, which is one of it. */
const TARGET = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }
const maxAgeOf = (seen: Seen): number | undefined => readUint(seen.response.options, OptionNumber.maxAge)

/** A client that observes a mitigation through a whole life of it: what it was told, the first answer included. */
function lifeOf(session = DEFAULT_SERVER_POLICY.session): Seen[] {
  const bed = new ServerBed({ policy: { session } })
  const peer = bed.establish()
  peer.put(1, TARGET)
  const first = only(peer.observe(1))
  peer.put(1, { ...TARGET, lifetime: 60 })
  bed.advance(Seconds(10))
  peer.delete(1)
  bed.advance(Minutes(10))
  return [first, ...peer.notifications]
}

describe('RFC 7641 §4.2, §4.3.1: notifications of a DOTS server', () => {
  test('are 2.05, through the whole life of a mitigation [RFC7641-4.2-S01]', () => {
    const told = lifeOf()
    expect(told.length).toBeGreaterThan(2)
    expect(told.map(({ code }) => code)).toEqual(told.map(() => '2.05'))
  })

  test('say in Max-Age how long the state may be held for true [RFC7641-4.3.1-M02] [RFC7641-4.3.1-M03]', () => {
    const { session } = DEFAULT_SERVER_POLICY
    for (const seen of lifeOf())
      expect(maxAgeOf(seen)).toBe(session.heartbeatIntervalSeconds * session.missingHeartbeatsAllowed)
    // As long as a session that is gone may go unnoticed: where heartbeats are rarer, it is longer.
    const rare = { ...session, heartbeatIntervalSeconds: 100, missingHeartbeatsAllowed: 7 }
    for (const seen of lifeOf(rare)) expect(maxAgeOf(seen)).toBe(700)
    const never = { ...session, heartbeatIntervalSeconds: 0 }
    for (const seen of lifeOf(never)) expect(maxAgeOf(seen)).toBe(3600)
  })

  test('of the configuration, too [RFC7641-4.3.1-M02] [RFC7641-4.3.1-M03]', () => {
    const peer = new ServerBed().establish()
    const seen = only(peer.config([{ number: OptionNumber.observe, value: new Uint8Array(0) }]))
    expect(maxAgeOf(seen)).toBe(DEFAULT_SERVER_POLICY.configurationMaxAgeSeconds)
  })
})
