import { Method, uriPath } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { ServerBed, messageType, only } from '../../packages/dots/test/server/server-bed.ts'

const HEARTBEAT = encodeSignal({ heartbeat: { peerHbStatus: true } })
/** 15 heartbeats of 30 … 33 s, and as long to the first. */
const LOSS_SECONDS = 16 * 33

describe('RFC 9132 §4.7: heartbeats, at the server', () => {
  it('a heartbeat is answered with 2.04 without body', () => {
    const answer = only(new ServerBed().establish().heartbeat())
    expect(answer.code).toBe('2.04')
    expect(answer.response.payload).toHaveLength(0)
    expect(answer.response.options).toEqual([])
  })

  it("a heartbeat's path has no cuid, cdid or mid [RFC9132-4.7-M02]", () => {
    const peer = new ServerBed().establish()
    for (const parameter of ['cuid=abc', 'cdid=abc', 'mid=1'])
      expect(
        only(peer.request(Method.put, uriPath('.well-known', 'dots', 'hb', parameter), HEARTBEAT)).code
      ).toBe('4.00')
  })

  it("a heartbeat without the mandatory 'peer-hb-status' is 4.00", () => {
    const peer = new ServerBed().establish()
    for (const body of [new Uint8Array(0), Uint8Array.of(0xa0), Uint8Array.of(0xa1, 0x18, 49, 0xa0)])
      expect(only(peer.request(Method.put, uriPath('.well-known', 'dots', 'hb'), body)).code).toBe('4.00')
  })

  it('the server probes its clients, Non-confirmable, every 30 seconds or a little later', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.advance(Seconds(3600))
    expect(peer.heartbeats).toBeGreaterThanOrEqual(108)
    expect(peer.heartbeats).toBeLessThanOrEqual(120)
    expect(new Set(bed.sent.map(({ bytes }) => messageType(bytes)))).toEqual(new Set(['non-confirmable']))
    const gaps = bed.sent.map(({ at }, index) => at - (bed.sent[index - 1]?.at ?? 0)).slice(1)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(30_000)
  })

  it("'peer-hb-status' is true while the client's heartbeats came in the last two intervals, and false after", () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.advance(Seconds(35))
    peer.heartbeat()
    bed.advance(Seconds(35))
    expect(peer.lastHeartbeatStatus).toBe(true)
    bed.advance(Seconds(70))
    expect(peer.lastHeartbeatStatus).toBe(false)
    peer.heartbeat()
    bed.advance(Seconds(34))
    expect(peer.lastHeartbeatStatus).toBe(true)
  })

  it('a client that does not hear us gets a heartbeat right behind its own [RFC9132-4.7-O01]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.advance(Seconds(14))
    const before = peer.heartbeats
    peer.heartbeat(false)
    expect(peer.heartbeats).toBe(before + 1)
    // RFC 9132 §4.5.2: not more often than every 15 seconds, whatever the client says.
    peer.heartbeat(false)
    expect(peer.heartbeats).toBe(before + 1)
  })

  it('a client whose traffic still comes is not disconnected, though it answers no heartbeat [RFC9132-4.7-M07] [RFC9132-4.7-M08]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.answersHeartbeats = false
    for (let minutes = 0; minutes < 60; minutes++) {
      bed.advance(Seconds(60))
      peer.heartbeat(false)
    }
    expect(bed.closed).toEqual([])
    expect(bed.eventsOf('heartbeat').map(({ state }) => state)).toEqual(['unanswered'])
    expect(only(peer.put(1, { targetPrefix: ['192.0.2.7/32'], lifetime: 60 })).code).toBe('2.01')
    peer.answersHeartbeats = true
    bed.advance(Seconds(40))
    expect(bed.eventsOf('heartbeat').at(-1)?.state).toBe('answered-again')
  })

  it('a client of which nothing comes for 15 heartbeats is disconnected; its mitigations stay', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 })
    peer.deaf = true
    bed.advance(Seconds(15 * 30))
    expect(bed.closed).toEqual([])
    bed.advance(Seconds(LOSS_SECONDS - 15 * 30))
    expect(bed.closed).toEqual([peer.id])
    expect(bed.eventsOf('heartbeat').at(-1)?.state).toBe('silent')
    expect(bed.machine.sizes()).toMatchObject({ sessions: 0, mitigations: 1 })
    expect(bed.plans()).toHaveLength(1)
  })
})
