import { Seconds } from '@breakwater/core'
import { DEFAULT_SERVER_POLICY } from '@breakwater/dots'
import { encodeSignal } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import {
  CUID,
  ServerBed,
  certificate,
  cuid,
  entryOf,
  only
} from '../../packages/dots/test/server/server-bed.ts'

const SECOND_CUID = cuid('f30d281ce6b64fc5a0b91e')

function asking(prefix: string, lifetime = 3600): { targetPrefix: string[]; lifetime: number } {
  return { targetPrefix: [prefix], lifetime }
}

describe('RFC 9132 §4.4.1.3: processing mitigation requests', () => {
  it('a request without a mandatory attribute is 4.00 [RFC9132-4.4.1.3-M02]', () => {
    const peer = new ServerBed().establish()
    expect(only(peer.put(1, { targetPrefix: ['192.0.2.7/32'] })).code).toBe('4.00')
    expect(only(peer.put(1, { lifetime: 3600 })).code).toBe('4.00')
  })

  it('a request with several scopes is 4.00 [RFC9132-4.4.1.3-M02]', () => {
    const bed = new ServerBed()
    const scope = [asking('192.0.2.7/32'), asking('192.0.2.8/32')]
    const answer = only(bed.establish().putBody(1, encodeSignal({ mitigationScope: { scope } })))
    expect(answer.code).toBe('4.00')
    expect(answer.text).toContain('2 scopes')
    expect(bed.records.size).toBe(0)
  })

  it('a request with an unknown comprehension-required key is 4.00 and says which [RFC9132-4.4.1.3-M02] [RFC9132-6-S01]', () => {
    const bed = new ServerBed()
    // scope[0] = { 6: ["192.0.2.7/32"], 14: 60, 100: 1 }
    const text = [...new TextEncoder().encode('192.0.2.7/32')]
    const body = [
      0xa1,
      1,
      0xa1,
      2,
      0x81,
      0xa3,
      6,
      0x81,
      0x60 + text.length,
      ...text,
      14,
      0x18,
      60,
      0x18,
      100,
      1
    ]
    const answer = only(bed.establish().putBody(1, Uint8Array.from(body)))
    expect(answer.code).toBe('4.00')
    expect(answer.text).toContain('100')
    expect(bed.records.size).toBe(0)
  })

  it('a body that is no CBOR, or another message, is 4.00 [RFC9132-4.4.1.3-M02]', () => {
    const peer = new ServerBed().establish()
    expect(only(peer.putBody(1, Uint8Array.of(0xff))).code).toBe('4.00')
    expect(only(peer.putBody(1, new Uint8Array(0))).code).toBe('4.00')
    expect(only(peer.putBody(1, encodeSignal({ heartbeat: { peerHbStatus: true } }))).code).toBe('4.00')
  })

  it('an upper port below the lower one is 4.00 [RFC9132-4.4.1.3-M02]', () => {
    const peer = new ServerBed().establish()
    const text = [...new TextEncoder().encode('192.0.2.7/32')]
    const ports = [7, 0x81, 0xa2, 8, 0x18, 80, 9, 0x18, 70]
    const body = [0xa1, 1, 0xa1, 2, 0x81, 0xa3, 6, 0x81, 0x60 + text.length, ...text, ...ports, 14, 0x18, 60]
    expect(only(peer.putBody(1, Uint8Array.from(body))).code).toBe('4.00')
  })

  it('a lifetime of 0 is 4.00 [RFC9132-4.4.1.3-M03]', () => {
    const bed = new ServerBed()
    const answer = only(bed.establish().put(1, asking('192.0.2.7/32', 0)))
    expect(answer.code).toBe('4.00')
    expect(answer.text).toContain('lifetime 0')
    expect(bed.records.size).toBe(0)
  })

  it('a new mid is 2.01 with mid and lifetime, and the mitigator gets to work [RFC9132-4.4.1.3-O01]', () => {
    const bed = new ServerBed()
    const answer = only(
      bed.establish().put(123, {
        targetPrefix: ['2001:db8:6401::1/128', '2001:db8:6401::2/128'],
        targetPortRange: [{ lowerPort: 80 }, { lowerPort: 443, upperPort: 444 }],
        targetProtocol: [6],
        lifetime: 3600
      })
    )
    expect(answer.code).toBe('2.01')
    expect(answer.body).toEqual({ mitigationScope: { scope: [{ mid: 123, lifetime: 3600 }] } })
    expect(bed.applyCalls).toHaveLength(1)
    expect(bed.applyCalls[0]).toMatchObject({
      action: 'discard',
      target: {
        ports: [
          { lower: 80, upper: 80 },
          { lower: 443, upper: 444 }
        ],
        protocols: [6]
      }
    })
  })

  it('nothing is answered and nothing applied before the request is on stable storage', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.hold.add('store')
    const answers = peer.put(1, asking('192.0.2.7/32'))
    expect(answers).toEqual([])
    expect(bed.applyCalls).toEqual([])
    expect(only(peer.get(1)).code).toBe('4.04')
    bed.release()
    expect(only(answers).code).toBe('2.01')
    expect(bed.applyCalls).toHaveLength(1)
  })

  it('a request that cannot be stored is 5.03 and leaves nothing behind', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.storeFailure = { code: 'STORE_DOWN', message: 'no disk', retryable: true }
    expect(only(peer.put(1, asking('192.0.2.7/32'))).code).toBe('5.03')
    expect(bed.applyCalls).toEqual([])
    bed.storeFailure = undefined
    // Its targets are free again.
    expect(only(peer.put(0, asking('192.0.2.0/24'))).code).toBe('2.01')
  })

  it('a server with as many mitigations as it takes answers 5.03 [RFC9132-4.4.1.3-O02]', () => {
    const limits = { ...DEFAULT_SERVER_POLICY.limits, mitigationsPerClient: 2, mitigations: 3 }
    const bed = new ServerBed({ policy: { limits } })
    const first = bed.establish()
    const codes = [1, 2, 3].map((id) => only(first.put(id, asking(`192.0.2.${id}/32`))).code)
    expect(codes).toEqual(['2.01', '2.01', '5.03'])
    const second = bed.establish(certificate('second.example.net'))
    expect(only(second.put(1, asking('192.0.2.11/32'), SECOND_CUID)).code).toBe('2.01')
    expect(only(second.put(2, asking('192.0.2.12/32'), SECOND_CUID)).code).toBe('5.03')
    // Another cuid is no way around it.
    expect(only(first.put(1, asking('192.0.2.21/32'), cuid('another'))).code).toBe('5.03')
    // What is there can still be refreshed, and replaced.
    expect(only(first.put(4, asking('192.0.2.2/31'))).code).toBe('2.01')
    expect(only(first.put(1, asking('192.0.2.1/32'))).code).toBe('2.04')
  })
})

describe('RFC 9132 §4.4.1.3: overlapping requests of one client', () => {
  it.each([
    ['192.0.2.7/32', '192.0.2.0/28'],
    ['192.0.2.0/28', '192.0.2.7/32'],
    ['192.0.2.0/28', '192.0.2.0/28'],
    ['2001:db8:1::/48', '2001:db8:1::7/128']
  ])('the higher mid takes the place of the lower one: %s, then %s [RFC9132-4.4.1.3-M04]', (before, then) => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, asking(before))
    peer.put(2, asking('192.0.2.200/32'))
    expect(only(peer.put(3, asking(then))).code).toBe('2.01')
    expect(only(peer.get(1)).code).toBe('4.04')
    expect(only(peer.get()).body?.mitigationScope?.scope?.map(({ mid }) => mid)).toEqual([2, 3])
    expect([...bed.records.keys()].toSorted()).toEqual([`${CUID}/2`, `${CUID}/3`])
    expect(bed.plans()).toHaveLength(2)
  })

  it('the old filter goes when the new one is in force, not before', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, asking('192.0.2.7/32'))
    bed.hold.add('apply')
    peer.put(2, asking('192.0.2.0/28'))
    expect(bed.withdrawCalls).toEqual([])
    expect(bed.plans()).toHaveLength(1)
    bed.release()
    expect(bed.withdrawCalls).toHaveLength(1)
    expect(bed.plans()).toHaveLength(1)
    expect(bed.plans()[0]).toContain(`${CUID}/2/`)
  })

  it('a lower mid that overlaps a higher one is 4.09, with the cause and the mid of the other [RFC9132-4.4.1.3-M05] [RFC9132-4.4.1.3-M06]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(5, asking('192.0.2.7/32'))
    const answer = only(peer.put(4, asking('192.0.2.0/28')))
    expect(answer.code).toBe('4.09')
    expect(entryOf(answer)).toEqual({
      conflictInformation: { conflictCause: 1, conflictScope: { mid: 5 } }
    })
    expect([...bed.records.keys()]).toEqual([`${CUID}/5`])
  })

  it('requests without a common address live side by side', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    for (const id of [3, 1, 2]) expect(only(peer.put(id, asking(`192.0.2.${id}/32`))).code).toBe('2.01')
    expect(bed.plans()).toHaveLength(3)
  })

  it('a withdrawn mitigation is no obstacle to a lower mid', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(9, asking('192.0.2.7/32'))
    peer.delete(9)
    expect(only(peer.put(1, asking('192.0.2.7/32'))).code).toBe('2.01')
    expect([...bed.records.keys()]).toEqual([`${CUID}/1`])
    expect(bed.plans()).toHaveLength(1)
  })
})

describe('RFC 9132 §4.4.1.3: refreshing', () => {
  it('the same request again sets the lifetime anew and is 2.04 [RFC9132-4.4.1.3-O03]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, asking('192.0.2.7/32', 600))
    bed.advance(Seconds(500))
    const answer = only(peer.put(1, asking('192.0.2.7/32', 1200)))
    expect(answer.code).toBe('2.04')
    expect(entryOf(answer)).toEqual({ mid: 1, lifetime: 1200 })
    expect(entryOf(only(peer.get(1))).lifetime).toBe(1200)
    bed.advance(Seconds(1199))
    expect(only(peer.get(1)).code).toBe('2.05')
    expect(bed.applyCalls).toHaveLength(1)
    bed.advance(Seconds(1))
    expect(only(peer.get(1)).code).toBe('4.04')
  })

  it('a refresh with other targets is 4.00 and changes nothing [RFC9132-4.4.1.3-M10]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, asking('192.0.2.7/32', 600))
    const changed = [
      asking('192.0.2.8/32', 600),
      { targetPrefix: ['192.0.2.7/32', '192.0.2.8/32'], lifetime: 600 },
      { ...asking('192.0.2.7/32'), targetProtocol: [17] },
      { ...asking('192.0.2.7/32'), targetPortRange: [{ lowerPort: 53 }] }
    ]
    for (const entry of changed) expect(only(peer.put(1, entry)).code).toBe('4.00')
    expect(entryOf(only(peer.get(1)))).toMatchObject({ lifetime: 600, targetPrefix: ['192.0.2.7/32'] })
    expect(bed.applyCalls).toHaveLength(1)
  })

  it('the order of the targets says nothing', () => {
    const peer = new ServerBed().establish()
    peer.put(1, { targetPrefix: ['192.0.2.7/32', '192.0.2.8/32'], lifetime: 600 })
    expect(only(peer.put(1, { targetPrefix: ['192.0.2.8/32', '192.0.2.7/32'], lifetime: 600 })).code).toBe(
      '2.04'
    )
  })

  it('a request repeated while the first is being stored is done once and answered', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.hold.add('store')
    const first = peer.put(1, asking('192.0.2.7/32'))
    const again = peer.put(1, asking('192.0.2.7/32'))
    expect(bed.held).toHaveLength(1)
    bed.release()
    expect([only(first).code, only(again).code]).toEqual(['2.01', '2.01'])
    expect(bed.applyCalls).toHaveLength(1)
  })
})

describe('RFC 9132 §4.4.1.3: conflicts', () => {
  it('a cuid collision is told by its cause and nothing else, as in Figure 11 [RFC9132-4.4.1.3-M08]', () => {
    const bed = new ServerBed()
    bed.establish().put(1, asking('192.0.2.7/32'))
    const second = bed.establish(certificate('second.example.net'))
    const answer = only(second.put(12, asking('192.0.2.8/32')))
    expect(answer.code).toBe('4.09')
    expect(answer.body).toEqual({
      mitigationScope: { scope: [{ conflictInformation: { conflictCause: 3 } }] }
    })
  })

  it('by default, both of two clients with common targets are served, and the second is told [RFC9132-4.4.1.3-M07]', () => {
    const bed = new ServerBed()
    const first = bed.establish()
    first.put(1, asking('192.0.2.0/28'))
    const second = bed.establish(certificate('second.example.net'))
    const answer = only(second.put(1, asking('192.0.2.7/32'), SECOND_CUID))
    expect(answer.code).toBe('2.01')
    expect(entryOf(answer)).toEqual({
      mid: 1,
      lifetime: 3600,
      conflictInformation: {
        conflictStatus: 2,
        conflictCause: 1,
        conflictScope: { targetPrefix: ['192.0.2.7/32'] }
      }
    })
    expect(bed.plans()).toHaveLength(2)
  })

  it('where the operator wants it, the second is refused until the first is over [RFC9132-4.4.1.3-M07] [RFC9132-4.4.1.3-S03]', () => {
    const bed = new ServerBed({ policy: { clientConflict: 'reject' } })
    const first = bed.establish()
    first.put(1, asking('192.0.2.0/28', 600))
    bed.advance(Seconds(100))
    const second = bed.establish(certificate('second.example.net'))
    const answer = only(second.put(1, asking('192.0.2.7/32'), SECOND_CUID))
    expect(answer.code).toBe('4.09')
    expect(entryOf(answer).conflictInformation).toEqual({
      conflictStatus: 1,
      conflictCause: 1,
      conflictScope: { targetPrefix: ['192.0.2.7/32'] },
      retryTimer: 500
    })
    bed.advance(Seconds(500))
    expect(only(second.put(1, asking('192.0.2.7/32'), SECOND_CUID)).code).toBe('2.01')
  })

  it('a request that is still being stored counts as there, for another client', () => {
    const bed = new ServerBed({ policy: { clientConflict: 'reject' } })
    const first = bed.establish()
    const second = bed.establish(certificate('second.example.net'))
    bed.hold.add('store')
    const early = first.put(1, asking('192.0.2.0/28'))
    expect(only(second.put(1, asking('192.0.2.7/32'), SECOND_CUID)).code).toBe('4.09')
    bed.release()
    expect(only(early).code).toBe('2.01')
  })
})
