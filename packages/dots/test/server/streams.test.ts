import { Code, FrameReader, Method, encodeFrame, uriPath } from '@breakwater/coap'
import { Seconds, concatBytes } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SERVER_POLICY } from '../../src/server/policy.ts'
import { heartbeatRequest } from '../../src/signal/heartbeat-message.ts'
import { ServerBed, certificate, entryOf, only } from './server-bed.ts'
import type { Peer } from './server-bed.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }
const ME = certificate('client.example.net')

function establish(bed: ServerBed): Peer {
  return bed.establish(ME, 'tcp')
}

function endings(bed: ServerBed): string[] {
  return bed.events.flatMap((event) => (event.kind === 'stream-ended' ? [event.reason] : []))
}

describe('a session over TCP, at the server', () => {
  it('begins with our CSM, without waiting for that of the client (RFC 8323 §5.3)', () => {
    const bed = new ServerBed()
    const peer = establish(bed)
    const reader = new FrameReader(10_000)
    reader.feed(peer.received[0]!)
    expect(reader.next()?.code).toBe(0xe1)
  })

  it('serves mitigations as one over UDP does', () => {
    const bed = new ServerBed()
    const peer = establish(bed)
    expect(only(peer.put(1, TARGET)).code).toBe('2.01')
    expect(entryOf(only(peer.get(1))).status).toBe(2)
    expect(only(peer.delete(1)).code).toBe('2.02')
  })

  it('answers all requests that come in one piece', () => {
    const bed = new ServerBed()
    const peer = establish(bed)
    const { method, options, payload } = heartbeatRequest(true)
    const frames = [1, 2, 3].map((token) =>
      encodeFrame({ code: method, token: Uint8Array.of(token), options, payload })
    )
    const before = peer.received.length
    peer.send(concatBytes(frames))
    const reader = new FrameReader(10_000)
    for (const bytes of peer.received.slice(before)) reader.feed(bytes)
    const tokens: number[] = []
    for (let answer = reader.next(); answer !== undefined; answer = reader.next())
      if (answer.code === Code.changed) tokens.push(answer.token[0] ?? 0)
    expect(tokens).toEqual([1, 2, 3])
  })

  it('puts requests together that come byte by byte', () => {
    const bed = new ServerBed()
    const peer = establish(bed)
    const { method, options, payload } = heartbeatRequest(true)
    const frame = encodeFrame({ code: method, token: Uint8Array.of(9), options, payload })
    const before = bed.machine.counters.value('dots_server_heartbeats_received_total')
    for (const byte of frame) peer.send(Uint8Array.of(byte))
    expect(bed.machine.counters.value('dots_server_heartbeats_received_total')).toBe(before + 1)
  })

  it('brings notifications', () => {
    const bed = new ServerBed()
    const peer = establish(bed)
    peer.put(1, TARGET)
    peer.observe(1)
    peer.delete(1)
    bed.advance(Seconds(4))
    expect(peer.notifications.map((seen) => entryOf(seen).status)).toEqual([5])
  })

  it('ends with its observations, when the connection does [RFC8323-7.4-M02]', () => {
    const bed = new ServerBed()
    const peer = establish(bed)
    peer.put(1, TARGET)
    peer.observe(1)
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'alert' })
    const before = bed.sent.length
    establish(bed).delete(1)
    bed.advance(Seconds(10))
    expect(bed.sent.slice(before).some(({ peer: to }) => to === peer.id)).toBe(false)
  })

  it('probes the client and is probed, and closes when nothing comes any more', () => {
    const bed = new ServerBed()
    const peer = establish(bed)
    bed.advance(Seconds(100))
    expect(peer.heartbeats).toBeGreaterThanOrEqual(2)
    expect(bed.closed).toEqual([])
    peer.deaf = true
    bed.advance(Seconds(600))
    expect(bed.closed).toEqual([peer.id])
  })

  it('ends with an Abort when the client does not speak CoAP, and is counted', () => {
    const bed = new ServerBed()
    const peer = establish(bed)
    // Of a length beyond all limits.
    peer.send(Uint8Array.of(0xf0, 0xff, 0xff, 0xff, 0xff, 0x01))
    expect(peer.end).toBe('aborted-by-peer')
    expect(bed.closed).toEqual([peer.id])
    expect(endings(bed)).toEqual(['protocol'])
    expect(bed.machine.counters.value('dots_server_streams_ended_total', 'protocol')).toBe(1)
    expect(bed.machine.counters.value('dots_server_datagrams_malformed_total')).toBe(1)
  })

  it('ends when no CSM comes', () => {
    const bed = new ServerBed()
    bed.feed({
      kind: 'session-established',
      peer: 77 as Peer['id'],
      identity: ME,
      path: { local: bed.path.local, remote: bed.path.remote },
      transport: 'tcp'
    })
    bed.advance(Seconds(31))
    expect(bed.closed).toEqual([77])
  })

  it('takes the place of the quietest session of the same client, where that has too many', () => {
    const limits = { ...DEFAULT_SERVER_POLICY.limits, streamsPerClient: 2 }
    const bed = new ServerBed({ policy: { limits } })
    const first = establish(bed)
    bed.advance(Seconds(1))
    const second = establish(bed)
    bed.advance(Seconds(1))
    first.heartbeat()
    const stranger = bed.establish(certificate('second.example.net'), 'tcp')
    const datagrams = bed.establish(ME)
    expect(bed.closed).toEqual([])
    const third = establish(bed)
    expect(bed.closed).toEqual([second.id])
    expect(endings(bed)).toEqual(['too-many-streams'])
    for (const peer of [first, third, stranger, datagrams])
      expect(only(peer.put(peer.id, TARGET)).code).toMatch(/2\.01|4\.09/)
  })

  it('has 4.01 for a client that nobody knows', () => {
    const bed = new ServerBed()
    const peer = bed.establish(certificate('nobody.example'), 'tcp')
    expect(only(peer.request(Method.put, uriPath('.well-known', 'dots', 'hb'), encodeSignal({}))).code).toBe(
      '4.01'
    )
  })
})
