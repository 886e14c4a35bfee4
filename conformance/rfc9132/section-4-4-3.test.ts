import { OptionNumber, emptyOption, readUint } from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { configPath, heartbeatPath, heartbeatRequest, mitigatePath } from '@breakwater/dots'
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

/** RFC 9132 §4.4.3, Figure 16, with targets of our client. */
const FIGURE_16 = {
  targetPrefix: ['2001:db8:6401::1/128', '2001:db8:6401::2/128'],
  targetPortRange: [{ lowerPort: 80 }, { lowerPort: 443 }, { lowerPort: 8080 }],
  targetProtocol: [6]
}
const REQUEST = { ...FIGURE_16, lifetime: 3600 }
const UNDER_ATTACK = { ...FIGURE_16, attackStatus: 1 }
const IF_MATCH: CoapOption = emptyOption(OptionNumber.ifMatch)

describe('RFC 9132 §4.4.3: efficacy updates', () => {
  it('Figure 16 is 2.04, and stands in the audit trail [RFC9132-4.4.3-O01]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(123, REQUEST)
    bed.advance(Seconds(600))
    const answer = only(peer.update(123, UNDER_ATTACK))
    expect(answer.code).toBe('2.04')
    expect(entryOf(answer)).toEqual({ mid: 123, lifetime: 3000 })
    expect(bed.eventsOf('request').at(-1)).toMatchObject({
      cuid: CUID,
      mitigationId: 123,
      attackStatus: 1,
      outcome: 'refreshed',
      answer: '2.04'
    })
  })

  it('both states of the attack are taken, and the mitigation goes on', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(123, REQUEST)
    for (const attackStatus of [1, 2])
      expect(only(peer.update(123, { ...UNDER_ATTACK, attackStatus })).code).toBe('2.04')
    expect(bed.eventsOf('request').map(({ attackStatus }) => attackStatus)).toEqual([undefined, 1, 2])
    expect(bed.inForce.size).toBe(1)
    expect(entryOf(only(peer.get(123))).status).toBe(2)
  })

  it('with a lifetime, it refreshes the mitigation, also on stable storage', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(123, REQUEST)
    bed.advance(Seconds(3000))
    bed.hold.add('store')
    const answers = peer.update(123, { ...UNDER_ATTACK, lifetime: 3600 })
    expect(answers).toHaveLength(0)
    bed.release()
    expect(entryOf(only(answers)).lifetime).toBe(3600)
    bed.advance(Seconds(3599))
    expect(entryOf(only(peer.get(123))).lifetime).toBe(1)
  })

  it.each([
    ['another prefix', { targetPrefix: ['2001:db8:6401::1/128'] }],
    ['another port', { targetPortRange: [{ lowerPort: 80 }, { lowerPort: 443 }] }],
    ['another protocol', { targetProtocol: [17] }]
  ])(
    '%s than the request had is 4.00, and changes nothing [RFC9132-4.4.3-M01] [RFC9132-4.4.3-M02]',
    (_, change) => {
      const bed = new ServerBed()
      const peer = bed.establish()
      peer.put(123, REQUEST)
      expect(only(peer.update(123, { ...UNDER_ATTACK, lifetime: 60, ...change })).code).toBe('4.00')
      expect(entryOf(only(peer.get(123)))).toMatchObject(REQUEST)
    }
  )

  it('attack-status is mandatory, and has its place in efficacy updates only', () => {
    const peer = new ServerBed().establish()
    peer.put(123, REQUEST)
    const missing = only(peer.update(123, REQUEST))
    expect(missing.code).toBe('4.00')
    expect(missing.text).toContain('attack-status')
    const unconditional = only(
      peer.put(124, { targetPrefix: ['192.0.2.1/32'], lifetime: 60, attackStatus: 1 })
    )
    expect(unconditional.code).toBe('4.00')
    expect(unconditional.text).toContain('If-Match')
    expect(only(peer.update(123, { ...UNDER_ATTACK, lifetime: 0 })).code).toBe('4.00')
  })

  it('without a mitigation to match it is silently ignored: it creates nothing', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    const other = bed.establish(certificate('second.example.net'))
    other.put(5, { targetPrefix: ['192.0.2.5/32'], lifetime: 3600 }, cuid('other'))
    peer.put(123, REQUEST)
    const records = bed.records.size
    const sizes = bed.machine.sizes()
    expect(peer.update(124, UNDER_ATTACK)).toEqual([])
    expect(peer.update(123, UNDER_ATTACK, { of: cuid('nobody') })).toEqual([])
    expect(
      peer.update(5, { ...UNDER_ATTACK, targetPrefix: ['192.0.2.5/32'] }, { of: cuid('other') })
    ).toEqual([])
    expect(bed.records.size).toBe(records)
    expect(bed.machine.sizes()).toEqual(sizes)
    expect(bed.eventsOf('request').slice(-3)).toMatchObject(
      [124, 123, 5].map((mitigationId) => ({ mitigationId, outcome: 'ignored', answer: '', attackStatus: 1 }))
    )
  })

  it('one that comes behind the withdrawal does not bring the mitigation back', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(123, REQUEST)
    peer.delete(123)
    expect(peer.update(123, { ...UNDER_ATTACK, lifetime: 3600 })).toEqual([])
    expect(entryOf(only(peer.get(123))).status).toBe(5)
    bed.advance(Seconds(121))
    expect(peer.update(123, { ...UNDER_ATTACK, lifetime: 3600 })).toEqual([])
    expect(only(peer.get(123)).code).toBe('4.04')
  })

  it('one that waits for a withdrawal to be stored is ignored as well', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(123, REQUEST)
    bed.hold.add('store')
    peer.delete(123)
    const answers = peer.update(123, { ...UNDER_ATTACK, lifetime: 3600 })
    bed.release()
    expect(answers).toEqual([])
    expect(entryOf(only(peer.get(123))).status).toBe(5)
  })

  it.each([
    ['refuses it for good', { code: 'NO', message: 'no such table', retryable: false }, 1],
    ['fails again and again', { code: 'DOWN', message: 'no device', retryable: true }, 300]
  ])(
    'while the mitigator %s, it is 5.03 with a time to retry after, and refreshes nothing',
    (_, failure, after) => {
      const bed = new ServerBed()
      const peer = bed.establish()
      bed.mitigatorFailure = failure
      peer.put(123, REQUEST)
      bed.advance(Seconds(after))
      expect(entryOf(only(peer.get(123))).status).toBe(4)
      const answer = only(peer.update(123, { ...UNDER_ATTACK, lifetime: 3600 }))
      expect(answer.code).toBe('5.03')
      expect(readUint(answer.response.options, OptionNumber.maxAge) ?? 60).toBe(60)
      expect(entryOf(only(peer.get(123))).lifetime).toBe(3600 - after)
      // The wrong targets are told first; and the usual refresh keeps what the server may manage later.
      expect(only(peer.update(123, { ...UNDER_ATTACK, targetProtocol: [17] })).code).toBe('4.00')
      expect(only(peer.put(123, REQUEST)).code).toBe('2.04')
    }
  )

  it('is 2.04 again as soon as the mitigation is in force', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.mitigatorFailure = { code: 'DOWN', message: 'no device', retryable: true }
    peer.put(123, REQUEST)
    bed.advance(Seconds(300))
    expect(only(peer.update(123, UNDER_ATTACK)).code).toBe('5.03')
    bed.mitigatorFailure = undefined
    bed.advance(Seconds(300))
    expect(bed.inForce.size).toBe(1)
    expect(only(peer.update(123, UNDER_ATTACK)).code).toBe('2.04')
  })

  it('a store that fails is 5.03 with a time to retry after', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(123, REQUEST)
    bed.storeFailure = { code: 'FULL', message: 'disk full', retryable: true }
    const answer = only(peer.update(123, { ...UNDER_ATTACK, lifetime: 3600 }))
    expect(answer.code).toBe('5.03')
    expect(answer.response.options.map(({ number }) => number)).toContain(OptionNumber.maxAge)
  })
})

describe('RFC 7252 §5.10.8.1, §5.4.1: If-Match', () => {
  it('a value names a version, which mitigations do not have: 4.12', () => {
    const peer = new ServerBed().establish()
    peer.put(123, REQUEST)
    expect(only(peer.update(123, UNDER_ATTACK, { match: Uint8Array.of(1) })).code).toBe('4.12')
  })

  it.each([
    ['GET of a mitigation', 1, mitigatePath(CUID, mid(123))],
    ['DELETE of a mitigation', 4, mitigatePath(CUID, mid(123))],
    ['GET of the configuration', 1, configPath()],
    ['a heartbeat', 3, heartbeatPath()]
  ])('at %s it is a critical option that is not understood', (_, method, path) => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(123, REQUEST)
    const payload = method === 3 ? heartbeatRequest(true).payload : new Uint8Array(0)
    expect(peer.request(method, [IF_MATCH, ...path], payload)).toEqual([])
    expect(only(peer.request(method, [IF_MATCH, ...path], payload, true)).code).toBe('4.02')
    expect(entryOf(only(peer.get(123))).status).toBe(2)
    expect(bed.machine.counters.value('dots_server_heartbeats_received_total')).toBe(0)
  })

  it('it tells a stranger nothing', () => {
    const peer = new ServerBed().establish(certificate('stranger.example'))
    expect(only(peer.update(123, UNDER_ATTACK)).code).toBe('4.01')
  })
})
