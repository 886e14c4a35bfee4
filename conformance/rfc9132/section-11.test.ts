import { OptionNumber, readUint } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { DEFAULT_SERVER_POLICY, mitigatePath } from '@breakwater/dots'
import { encodeSignal } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import {
  CUID,
  ServerBed,
  certificate,
  cuid,
  entryOf,
  mid,
  only
} from '../../packages/dots/test/server/server-bed.ts'
import type { Peer } from '../../packages/dots/test/server/server-bed.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }

/** Three requests at once, then one in four seconds. */
function slowBed(): ServerBed {
  const limits = {
    ...DEFAULT_SERVER_POLICY.limits,
    requestsPerClientPerSecond: 0.25,
    requestBurstPerClient: 3
  }
  return new ServerBed({ policy: { limits } })
}

function codesOfPuts(peer: Peer, ...ids: number[]): string[] {
  return ids.map((id) => only(peer.put(id, { ...TARGET, targetPrefix: [`192.0.2.${id}/32`] })).code)
}

describe('RFC 9132 §11: rate limits', () => {
  it('beyond its rate, a client gets 4.29 with the time to wait, and nothing happens [RFC9132-11-S01]', () => {
    const bed = slowBed()
    const peer = bed.establish()
    expect(codesOfPuts(peer, 1, 2, 3)).toEqual(['2.01', '2.01', '2.01'])
    const records = bed.records.size
    const answer = only(peer.put(4, TARGET))
    expect(answer.code).toBe('4.29')
    expect(readUint(answer.response.options, OptionNumber.maxAge)).toBe(4)
    expect(answer.text).toContain('4 s')
    expect(only(peer.delete(1)).code).toBe('4.29')
    expect(bed.records.size).toBe(records)
    expect(bed.inForce.size).toBe(3)
    bed.advance(Seconds(4))
    expect(entryOf(only(peer.get(1))).status).toBe(2)
  })

  it('Confirmable and Non-confirmable requests count alike, whatever they ask for', () => {
    const bed = slowBed()
    const peer = bed.establish()
    const body = encodeSignal({ mitigationScope: { scope: [TARGET] } })
    expect(only(peer.request(3, mitigatePath(CUID, mid(1)), body, true)).code).toBe('2.01')
    expect(only(peer.get(1)).code).toBe('2.05')
    expect(only(peer.config()).code).toBe('2.05')
    expect(only(peer.request(3, mitigatePath(CUID, mid(1)), body, true)).code).toBe('4.29')
    expect(only(peer.request(3, mitigatePath(CUID, mid(1)), body)).code).toBe('4.29')
  })

  it('neither new cuids nor new sessions help, and another client does not suffer [RFC9132-11-S01]', () => {
    const bed = slowBed()
    const peer = bed.establish()
    for (const name of ['a', 'b', 'c']) peer.put(1, TARGET, cuid(name))
    expect(only(peer.put(1, TARGET, cuid('d'))).code).toBe('4.29')
    expect(only(bed.establish().put(1, TARGET)).code).toBe('4.29')
    const other = bed.establish(certificate('second.example.net'))
    expect(only(other.put(1, { ...TARGET, targetPrefix: ['192.0.2.9/32'] }, cuid('e'))).code).toBe('2.01')
  })

  it('heartbeats are never limited, and use up nothing', () => {
    const peer = slowBed().establish()
    for (let count = 0; count < 50; count++) expect(only(peer.heartbeat()).code).toBe('2.04')
    expect(codesOfPuts(peer, 1, 2, 3, 4)).toEqual(['2.01', '2.01', '2.01', '4.29'])
    for (let count = 0; count < 50; count++) expect(only(peer.heartbeat()).code).toBe('2.04')
  })

  it('stands in the audit trail under a name of its own', () => {
    const bed = slowBed()
    codesOfPuts(bed.establish(), 1, 2, 3, 4)
    expect(bed.eventsOf('request').at(-1)).toMatchObject({
      outcome: 'limited',
      answer: '4.29',
      problem: 'DOTS_SERVER_RATE_LIMITED',
      idleCount: 1
    })
  })

  it('by default a client may ask anew for all that it may have, at once', () => {
    const { requestBurstPerClient, mitigationsPerClient } = DEFAULT_SERVER_POLICY.limits
    expect(requestBurstPerClient).toBeGreaterThanOrEqual(mitigationsPerClient)
  })
})
