import { Method, OptionNumber, decodeMessage, readUint, uintOption } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { encodeSignalJson } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { EXAMPLE, ServerBed, certificate, cuid, only } from '../../packages/dots/test/server/server-bed.ts'
import type { Peer, Seen } from '../../packages/dots/test/server/server-bed.ts'

/** The exchanges that RFC 9132 draws, in their order, with the server alive: what it answers stands there in the RFC. */

const NEW_CUID = cuid('f30d281ce6b64fc5a0b91e')

/** Figure 8, byte by byte. */
const FIGURE_8 = bytesOf(`
  A1 01 A1 02 81 A4
    06 82 74 323030313A6462383A363430313A3A312F313238 74 323030313A6462383A363430313A3A322F313238
    07 83 A1 08 18 50 A1 08 19 01BB A1 08 19 1F90
    0A 81 06
    0E 19 0E10`)

const FIGURE_16 = {
  targetPrefix: ['2001:db8:6401::1/128', '2001:db8:6401::2/128'],
  targetPortRange: [{ lowerPort: 80 }, { lowerPort: 443 }, { lowerPort: 8080 }],
  targetProtocol: [6],
  attackStatus: 1
}

function bytesOf(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '')
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

/** The body as the RFC writes it: RFC 7951 JSON. */
function jsonOf({ body }: Seen): unknown {
  if (body === undefined) throw new Error('no body')
  return JSON.parse(encodeSignalJson(body)) as unknown
}

function statusesOf(seen: readonly Seen[]): (number | undefined)[] {
  return seen.map(({ body }) => body?.mitigationScope?.scope?.[0]?.status)
}

function observeOf({ response }: Seen): number {
  return readUint(response.options, OptionNumber.observe) ?? -1
}

describe('the exchanges that RFC 9132 draws, at the server', () => {
  it('Figures 7, 8 and 10: a mitigation request and its answer', () => {
    const bed = new ServerBed()
    const answer = only(bed.establish().putBody(123, FIGURE_8))
    expect(answer.code).toBe('2.01')
    expect(jsonOf(answer)).toEqual({
      'ietf-dots-signal-channel:mitigation-scope': { scope: [{ mid: 123, lifetime: 3600 }] }
    })
    // RFC 9132 §4.4: Non-confirmable, as the request was.
    expect(decodeMessage(bed.sent.at(-1)?.bytes ?? new Uint8Array(0)).type).toBe('non-confirmable')
  })

  it('Figure 11: a cuid that another client has, and the same request under a new one', () => {
    const bed = new ServerBed()
    bed.establish(certificate('second.example.net')).putBody(1, FIGURE_8)
    const peer = bed.establish()
    const collision = only(peer.putBody(12, FIGURE_8))
    expect(collision.code).toBe('4.09')
    expect(jsonOf(collision)).toEqual({
      'ietf-dots-signal-channel:mitigation-scope': {
        scope: [{ 'conflict-information': { 'conflict-cause': 'cuid-collision' } }]
      }
    })
    expect(only(peer.putBody(12, FIGURE_8, NEW_CUID)).code).toBe('2.01')
  })

  it('Figures 12 and 14: all mitigations of a client, and then each change of them', () => {
    const bed = new ServerBed()
    const peer = twoMitigations(bed)
    const answer = only(peer.get(undefined, [uintOption(OptionNumber.observe, 0)]))
    expect(answer.code).toBe('2.05')
    const scope = answer.body?.mitigationScope?.scope ?? []
    expect(scope.map((entry) => Object.keys(entry).toSorted())).toEqual([FIGURE_14_KEYS, FIGURE_14_KEYS])
    expect(scope.map(({ mid, targetProtocol }) => [mid, targetProtocol])).toEqual([
      [12_332, [17]],
      [12_333, [6]]
    ])
    expect(observeOf(answer)).toBeGreaterThanOrEqual(0)
  })

  it('Figure 13: one of them, with what was asked for in the order of the request', () => {
    const bed = new ServerBed()
    const answer = only(twoMitigations(bed).get(12_332, [uintOption(OptionNumber.observe, 0)]))
    expect(answer.body?.mitigationScope?.scope).toMatchObject([
      { mid: 12_332, targetPrefix: ['2001:db8:6401::1/128', '2001:db8:6401::2/128'], targetProtocol: [17] }
    ])
  })

  it('Figure 15: notifications of 1 "in progress", 2 "successfully mitigated" and 3 "stopped", each newer than the last', () => {
    const bed = new ServerBed({ policy: { attackStoppedAfter: Seconds(300) } })
    const peer = bed.establish()
    bed.hold.add('apply')
    peer.putBody(123, FIGURE_8)
    const first = only(peer.observe(123))
    bed.release()
    bed.counters = new Map([...bed.inForce.keys()].map((id) => [id, { packets: 5n, bytes: 500n }]))
    bed.advance(Seconds(400))
    const all = [first, ...peer.notifications]
    const changes = all.filter((seen, index) => statusesOf([seen])[0] !== statusesOf(all)[index - 1])
    expect(statusesOf(changes)).toEqual([1, 2, 3])
    const numbers = all.map(observeOf)
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  it('Figure 15 of a preconfigured request: from 3 "stopped" to 8 "signal loss"', () => {
    const bed = new ServerBed({ policy: { attackStoppedAfter: Seconds(300) } })
    const peer = bed.establish()
    const waiting = { targetPrefix: ['192.0.2.0/28'], triggerMitigation: false, lifetime: 86_400 }
    peer.put(1, waiting)
    peer.answersHeartbeats = false
    bed.advance(Seconds(500))
    bed.counters = new Map([...bed.inForce.keys()].map((id) => [id, { packets: 5n, bytes: 500n }]))
    bed.advance(Seconds(100))
    const again = bed.establish()
    again.observe(1)
    bed.advance(Seconds(700))
    const told = statusesOf(again.notifications).filter((status, index, all) => status !== all[index - 1])
    expect(told.slice(-3)).toEqual([2, 3, 8])
  })

  it('Figures 16 and 17: an efficacy update, then the withdrawal without a body', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.putBody(123, FIGURE_8)
    expect(only(peer.update(123, FIGURE_16)).code).toBe('2.04')
    const withdrawn = only(peer.delete(123))
    expect([withdrawn.code, withdrawn.response.payload.length]).toEqual(['2.02', 0])
  })

  it('Figures 19 to 24: configuration discovered, conveyed, read again and deleted', () => {
    const peer = new ServerBed().establish()
    expect(only(peer.config()).code).toBe('2.05')
    const figure23 = {
      heartbeatInterval: { currentValue: 91 },
      missingHbAllowed: { currentValue: 3 },
      maxRetransmit: { currentValue: 3 },
      ackTimeout: { currentValueDecimal: 2 },
      ackRandomFactor: { currentValueDecimal: 1.5 }
    }
    expect(only(peer.configure(123, { mitigatingConfig: figure23 })).code).toBe('2.01')
    expect(only(peer.configOf(123)).body?.signalConfig?.mitigatingConfig?.heartbeatInterval).toEqual({
      minValue: 15,
      maxValue: 240,
      currentValue: 91
    })
    expect(only(peer.configOf(123, Method.delete)).code).toBe('2.02')
    expect(only(peer.configOf(123)).code).toBe('4.04')
  })

  it('Figures 27 and 28: a heartbeat and its empty answer', () => {
    const answer = only(new ServerBed({ domains: [EXAMPLE] }).establish().heartbeat())
    expect([answer.code, answer.response.payload.length]).toEqual(['2.04', 0])
  })
})

const FIGURE_14_KEYS = [
  'bpsDropped',
  'bytesDropped',
  'lifetime',
  'mid',
  'mitigationStart',
  'pktsDropped',
  'ppsDropped',
  'status',
  'targetPrefix',
  'targetProtocol'
]

/** The two of Figure 14, which there have the same addresses: of one client's the lower would be overridden (§4.4.1.3). */
function twoMitigations(bed: ServerBed): Peer {
  const peer = bed.establish()
  const lifetime = 1800
  const targetPrefix = ['2001:db8:6401::1/128', '2001:db8:6401::2/128']
  peer.put(12_332, { targetPrefix, targetProtocol: [17], lifetime })
  peer.put(12_333, { targetPrefix: ['2001:db8:6401::3/128'], targetProtocol: [6], lifetime })
  bed.counters = new Map([...bed.inForce.keys()].map((id) => [id, { packets: 10n, bytes: 1000n }]))
  bed.advance(Seconds(45))
  return peer
}
