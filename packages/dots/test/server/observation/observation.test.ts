import { OptionNumber } from '@breakwater/coap'
import { Milliseconds, Seconds } from '@breakwater/core'
import { DEFAULT_SERVER_POLICY } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { ServerBed, only } from '../server-bed.ts'
import type { Peer, Seen } from '../server-bed.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], targetProtocol: [17], lifetime: 3600 }

function isObserved(answers: readonly Seen[]): boolean {
  return only(answers).response.options.some(({ number }) => number === OptionNumber.observe)
}

/** Asks for a mitigation, observes it and withdraws it until it is over. @returns whether it could be observed. */
function live(bed: ServerBed, peer: Peer, id: number): boolean {
  peer.put(id, TARGET)
  const observed = isObserved(peer.observe(id))
  peer.delete(id)
  bed.advance(Seconds(400))
  return observed
}

describe('the observers of a server', () => {
  it('a mitigation that is over takes no place among the observations of a long session', () => {
    const limits = { ...DEFAULT_SERVER_POLICY.limits, observationsPerSession: 2 }
    const bed = new ServerBed({ policy: { limits } })
    const peer = bed.establish()
    expect([1, 2, 3, 4].map((id) => live(bed, peer, id))).toEqual([true, true, true, true])
    const told = peer.notifications.map(({ body }) => body?.mitigationScope?.scope?.[0])
    expect(told.filter((scope) => scope?.status === 6).map((scope) => scope?.mid)).toEqual([1, 2, 3, 4])
  })

  it('an observer of all is told once of a mid that ended several times since it was told last', () => {
    const bed = new ServerBed()
    bed.mitigatorFailure = { code: 'DOWN', message: 'down', retryable: false }
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.observe()
    bed.advance(Seconds(10))
    peer.notifications.length = 0
    // What is not in force ends at once when it is withdrawn.
    for (let round = 0; round < 3; round++) {
      peer.put(2, { ...TARGET, targetPrefix: ['192.0.2.8/32'] })
      peer.delete(2)
    }
    bed.advance(Seconds(10))
    const mids = peer.notifications.flatMap(({ body }) => body?.mitigationScope?.scope?.map(({ mid }) => mid))
    expect(mids.filter((mid) => mid === 2).length).toBeGreaterThan(0)
    for (const { body } of peer.notifications) {
      const own = (body?.mitigationScope?.scope ?? []).map(({ mid }) => mid)
      expect(own).toEqual([...new Set(own)])
    }
  })

  it('are told in portions when there are very many, so that a heartbeat gets its answer in between', () => {
    const bed = new ServerBed({ policy: { statusInterval: Seconds(3600) } })
    const peers = Array.from({ length: 900 }, () => bed.establish())
    peers[0]!.put(1, TARGET)
    for (const peer of peers) peer.observe(1)
    bed.advance(Seconds(10))
    for (const peer of peers) peer.notifications.length = 0
    const told = (): number => peers.filter(({ notifications }) => notifications.length > 0).length

    peers[0]!.delete(1)
    bed.advance(Milliseconds(0))
    expect(told()).toBe(512)
    expect(peers[899]!.heartbeat()).toHaveLength(1)
    bed.advance(Milliseconds(1))
    expect(told()).toBe(900)
    expect(peers.every(({ notifications }) => notifications.length === 1)).toBe(true)
  })

  it('are told by one session at a time where their client has several, once in 3 seconds over all of them', () => {
    const bed = new ServerBed({ policy: { statusInterval: Seconds(3600) } })
    const peers = [bed.establish(), bed.establish()]
    peers[0]!.put(1, TARGET)
    for (const peer of peers) peer.observe(1)
    bed.advance(Seconds(10))
    for (const peer of peers) peer.notifications.length = 0
    const told = (): number[] => peers.map(({ notifications }) => notifications.length)
    peers[0]!.delete(1)
    bed.advance(Milliseconds(2999))
    expect(told()).toEqual([1, 0])
    bed.advance(Milliseconds(1))
    expect(told()).toEqual([1, 1])
  })

  it('are told every 3 seconds while their client asks again for what it has, and soon no more', () => {
    const bed = new ServerBed({ policy: { statusInterval: Seconds(3600) } })
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.observe()
    bed.advance(Seconds(6))
    peer.notifications.length = 0
    for (let copy = 0; copy < 3; copy++) {
      peer.put(1, TARGET)
      bed.advance(Seconds(3))
    }
    expect(peer.notifications).toHaveLength(4)
    bed.advance(Seconds(10))
    expect(peer.notifications).toHaveLength(7)
    bed.advance(Seconds(10))
    expect(peer.notifications).toHaveLength(7)
  })

  it('are not told more often of a refresh that comes in its time', () => {
    const bed = new ServerBed({ policy: { statusInterval: Seconds(3600) } })
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.observe()
    bed.advance(Seconds(60))
    peer.notifications.length = 0
    peer.put(1, TARGET)
    bed.advance(Seconds(60))
    expect(peer.notifications).toEqual([])
  })

  it('an observer of all that has nothing left to hear does not hold up the server while its client insists', () => {
    const bed = new ServerBed({ policy: { statusInterval: Seconds(3600) } })
    bed.mitigatorFailure = { code: 'DOWN', message: 'down', retryable: false }
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.observe()
    peer.put(1, TARGET)
    // What is not in force ends at once.
    peer.delete(1)
    peer.notifications.length = 0
    bed.advance(Seconds(20))
    const mids = peer.notifications.map(({ body }) => body?.mitigationScope?.scope?.map(({ mid }) => mid))
    expect(mids).toEqual([[1]])
  })
})
