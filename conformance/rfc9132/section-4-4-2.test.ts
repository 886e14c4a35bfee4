import { OptionNumber, readUint, stringOption, uintOption } from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import {
  ServerBed,
  certificate,
  cuid,
  entryOf,
  messageType,
  only
} from '../../packages/dots/test/server/server-bed.ts'
import type { Peer } from '../../packages/dots/test/server/server-bed.ts'

const SECOND_CUID = cuid('f30d281ce6b64fc5a0b91e')
const TARGET = { targetPrefix: ['192.0.2.7/32'], targetProtocol: [17], lifetime: 3600 }
const DOWN = { code: 'MITIGATOR_DOWN', message: 'no device', retryable: true }

function query(text: string): CoapOption {
  return stringOption(OptionNumber.uriQuery, text)
}

function statuses(peer: { notifications: Parameters<typeof entryOf>[0][] }): (number | undefined)[] {
  return peer.notifications.map((seen) => entryOf(seen).status)
}

describe('RFC 9132 §4.4.2: retrieving mitigations', () => {
  it('shows a mitigation with its scope, start, remaining lifetime and status', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(12332, TARGET)
    bed.advance(Seconds(10))
    expect(entryOf(only(peer.get(12332)))).toEqual({
      mid: 12332,
      mitigationStart: 1_767_225_600n,
      ...TARGET,
      lifetime: 3590,
      status: 2
    })
  })

  it('shows all mitigations of a cuid', () => {
    const peer = new ServerBed().establish()
    for (const id of [1, 2, 3]) peer.put(id, { targetPrefix: [`192.0.2.${id}/32`], lifetime: 60 })
    expect(only(peer.get()).body?.mitigationScope?.scope?.map(({ mid }) => mid)).toEqual([1, 2, 3])
  })

  it('a mid that the client does not have is 4.04 [RFC9132-4.4.2-M07]', () => {
    const peer = new ServerBed().establish()
    peer.put(1, TARGET)
    expect(only(peer.get(2)).code).toBe('4.04')
    expect(only(peer.get(1, [], SECOND_CUID)).code).toBe('4.04')
  })

  it('a cuid without mitigations is 4.04 [RFC9132-4.4.2-M08]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    expect(only(peer.get()).code).toBe('4.04')
    peer.put(1, { ...TARGET, lifetime: 5 })
    bed.advance(Seconds(5))
    expect(only(peer.get()).code).toBe('4.04')
  })

  it('a client sees no mitigation of another client, not even of its own domain', () => {
    const bed = new ServerBed()
    bed.establish().put(1, TARGET)
    const second = bed.establish(certificate('second.example.net'))
    expect(only(second.get(1)).code).toBe('4.04')
    expect(only(second.get()).code).toBe('4.04')
  })

  it('an empty Uri-Path value is 4.00 [RFC9132-4.4.2-M01]', () => {
    const peer = new ServerBed().establish()
    peer.put(1, TARGET)
    const path = '.well-known/dots/mitigate/cuid='.split('/').map((text) => ({
      number: OptionNumber.uriPath,
      value: new TextEncoder().encode(text)
    }))
    expect(only(peer.request(1, path)).code).toBe('4.00')
  })

  it('mitigation-start goes without the tag for dates [RFC9132-4.4.2-M09]', () => {
    const peer = new ServerBed().establish()
    peer.put(1, TARGET)
    const { payload } = only(peer.get(1)).response
    const at = payload.indexOf(15)
    // Key 15, then an unsigned integer of four bytes; a tag 1 would be 0xc1.
    expect(payload[at + 1]).toBe(0x1a)
  })

  it('dropped bytes and packets are told when known, and not when they are not', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    expect(entryOf(only(peer.get(1)))).not.toHaveProperty('bytesDropped')
    const [plan] = bed.inForce.keys()
    if (plan === undefined) throw new Error('no plan')
    bed.counters = new Map([[plan, { packets: 3000n, bytes: 1_500_000n }]])
    bed.advance(Seconds(30))
    expect(entryOf(only(peer.get(1)))).toMatchObject({
      bytesDropped: 1_500_000n,
      pktsDropped: 3000n,
      bpsDropped: 50_000n,
      ppsDropped: 100n
    })
    bed.counters = new Map()
    bed.advance(Seconds(30))
    expect(entryOf(only(peer.get(1)))).not.toHaveProperty('bytesDropped')
  })

  it('what block-wise transfer does not carry either is refused, with the way out', () => {
    const peer = new ServerBed().establish()
    for (let id = 1; id <= 60; id++) {
      const targetPrefix = Array.from({ length: 50 }, (_, index) => `2001:db8:${id}:${index}::/64`)
      peer.put(id, { targetPrefix, lifetime: 60 })
    }
    const answer = only(peer.get())
    expect(answer.code).toBe('5.01')
    expect(answer.text).toContain('60 mitigations')
    expect(answer.text).toContain('by mid')
    expect(only(peer.get(60)).code).toBe('2.05')
  })

  it('a mitigator that fails shows as "in progress", then as beyond our capability, and is asked again until it works', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.mitigatorFailure = DOWN
    expect(only(peer.put(1, TARGET)).code).toBe('2.01')
    expect(entryOf(only(peer.get(1))).status).toBe(1)
    bed.advance(Seconds(10))
    expect(entryOf(only(peer.get(1))).status).toBe(4)
    bed.mitigatorFailure = undefined
    bed.advance(Seconds(60))
    expect(entryOf(only(peer.get(1))).status).toBe(2)
    // 1 s, 2 s, 4 s, 8 s … apart.
    expect(bed.applyCalls).toHaveLength(5)
  })
})

describe("RFC 9132 §4.4.2, Table 2: the 'c' query", () => {
  const CONVEYED = { mid: 1, ...TARGET }
  const KNOWN_TO_SERVER = {
    mid: 1,
    mitigationStart: 1_767_225_600n,
    status: 2,
    bytesDropped: 0n,
    pktsDropped: 9n
  }

  function withOneMitigation(): Peer {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    bed.counters = new Map([...bed.inForce.keys()].map((plan) => [plan, { packets: 9n, bytes: 0n }]))
    bed.feed({ kind: 'counters', counters: bed.counters })
    return peer
  }

  it.each([
    ['c=c', CONVEYED],
    ['c=n', KNOWN_TO_SERVER],
    ['c=a', { ...CONVEYED, ...KNOWN_TO_SERVER }]
  ])('%s returns what its name says, of one mitigation and of all [RFC9132-4.4.2-O01]', (text, expected) => {
    const peer = withOneMitigation()
    for (const id of [1, undefined]) {
      const answer = only(peer.get(id, [query(text)]))
      expect(answer.code).toBe('2.05')
      expect(entryOf(answer)).toEqual(expected)
    }
  })

  it('without it, all is returned', () => {
    const peer = withOneMitigation()
    expect(entryOf(only(peer.get(1)))).toEqual({ ...CONVEYED, ...KNOWN_TO_SERVER })
  })

  it.each([['c=x'], ['c='], ['c'], ['c=nn'], ['C=n'], ['d=n'], [''], ['c=n', 'c=n'], ['c=n', 'x=1']])(
    'another query is 4.00: %s %s',
    (...texts) => {
      const peer = withOneMitigation()
      expect(only(peer.get(1, texts.map(query))).code).toBe('4.00')
      expect(only(peer.get(undefined, texts.map(query))).code).toBe('4.00')
      // Nor does it register an observer.
      const observed = only(peer.get(1, [uintOption(OptionNumber.observe, 0), ...texts.map(query)]))
      expect(observed.code).toBe('4.00')
    }
  )

  it('an observer is told the part that it asked for', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.get(1, [uintOption(OptionNumber.observe, 0), query('c=n')])
    peer.delete(1)
    bed.advance(Seconds(3))
    expect(peer.notifications.map((seen) => entryOf(seen))).toEqual([
      { mid: 1, mitigationStart: 1_767_225_600n, status: 5 }
    ])
  })
})

describe('RFC 9132 §4.4.2.1: telling observers', () => {
  it("'mitigate' and 'config' can be observed [RFC9132-4.4.2.1-M01]", () => {
    const peer = new ServerBed().establish()
    peer.put(1, TARGET)
    const config = only(peer.config([uintOption(OptionNumber.observe, 0)]))
    for (const answer of [only(peer.observe(1)), only(peer.observe()), config]) {
      expect(answer.code).toBe('2.05')
      expect(readUint(answer.response.options, OptionNumber.observe)).toBeDefined()
    }
    expect(readUint(only(peer.get(1)).response.options, OptionNumber.observe)).toBeUndefined()
  })

  it('an observer is told each change of the status', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.hold.add('apply')
    peer.put(1, TARGET)
    expect(entryOf(only(peer.observe(1))).status).toBe(1)
    bed.release()
    bed.advance(Seconds(3))
    expect(statuses(peer)).toEqual([2])
    peer.delete(1)
    bed.advance(Seconds(3))
    expect(statuses(peer)).toEqual([2, 5])
    bed.advance(Seconds(120))
    expect(statuses(peer).at(-1)).toBe(6)
    expect(only(peer.get(1)).code).toBe('4.04')
  })

  it('notifications are Non-confirmable, also after a day [RFC9132-4.4.2.1-M02]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, { ...TARGET, lifetime: 86_400 })
    peer.observe(1)
    bed.advance(Seconds(3600))
    bed.advance(Seconds(86_400))
    expect(peer.notifications.length).toBeGreaterThan(100)
    expect(new Set(bed.sent.map(({ bytes }) => messageType(bytes)))).toEqual(new Set(['non-confirmable']))
  }, 20_000)

  it('a session gets at most one notification in three seconds, and then the latest state [RFC9132-4.4.2.1-M03]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    for (const id of [1, 2, 3]) {
      peer.put(id, { targetPrefix: [`192.0.2.${id}/32`], lifetime: 3600 })
      peer.observe(id)
    }
    const before = bed.sent.length
    for (const id of [1, 2, 3]) peer.delete(id)
    bed.advance(Seconds(8))
    const notified = bed.sent.slice(before + 3).map(({ at }) => at)
    expect(peer.notifications.map((seen) => entryOf(seen))).toMatchObject([
      { mid: 1, status: 5 },
      { mid: 2, status: 5 },
      { mid: 3, status: 5 }
    ])
    for (const [index, at] of notified.entries())
      if (index > 0) expect(at - (notified[index - 1] ?? 0)).toBeGreaterThanOrEqual(3000)
  })

  it('a change right behind another is told three seconds after it [RFC9132-4.4.2.1-M03]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    bed.hold.add('apply')
    peer.put(1, TARGET)
    peer.observe(1)
    bed.release()
    bed.advance(Seconds(1))
    expect(statuses(peer)).toEqual([2])
    peer.delete(1)
    bed.advance(Seconds(1.9))
    expect(statuses(peer)).toEqual([2])
    bed.advance(Seconds(0.2))
    expect(statuses(peer)).toEqual([2, 5])
  })

  it('while a mitigation goes on, its observers are told its state every so often', () => {
    const bed = new ServerBed({ policy: { statusInterval: Seconds(20) } })
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.observe(1)
    bed.advance(Seconds(61))
    expect(statuses(peer)).toEqual([2, 2, 2])
  })

  it('an observer of all mitigations is told of new ones and of the end of others', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, { targetPrefix: ['192.0.2.1/32'], lifetime: 20 })
    peer.observe()
    peer.put(2, { targetPrefix: ['192.0.2.2/32'], lifetime: 3600 })
    bed.advance(Seconds(3))
    expect(peer.notifications.at(-1)?.body?.mitigationScope?.scope?.map(({ mid }) => mid)).toEqual([1, 2])
    bed.advance(Seconds(18))
    const last = peer.notifications.at(-1)?.body?.mitigationScope?.scope
    expect(last?.map(({ mid, status }) => [mid, status])).toEqual([
      [2, 2],
      [1, 6]
    ])
  })

  it('an observation ends with its session, and nothing of it is left', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.observe(1)
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'close-notify' })
    const before = bed.sent.length
    bed.advance(Seconds(100))
    expect(bed.sent).toHaveLength(before)
    expect(bed.machine.sizes()).toMatchObject({ sessions: 0, mitigations: 1 })
    const timers = bed.machine.timers().map(({ name }) => name.split(':')[0] ?? '')
    expect(new Set(timers)).toEqual(new Set(['clock', 'expiry', 'status']))
  })

  it('observers of one change are each told the part that they asked for', () => {
    const bed = new ServerBed()
    const peers = [bed.establish(), bed.establish(), bed.establish()]
    const [first, second, third] = peers
    first?.put(1, TARGET)
    first?.get(1, [uintOption(OptionNumber.observe, 0), query('c=n')])
    second?.get(1, [uintOption(OptionNumber.observe, 0), query('c=c')])
    third?.observe(1)
    for (const peer of peers) peer.notifications.length = 0
    first?.delete(1)
    // They are sessions of one client, which gets one notification in three seconds.
    bed.advance(Seconds(9))
    const keys = peers.map((peer) => Object.keys(entryOf(only(peer.notifications))))
    expect(keys[0]).toContain('status')
    expect(keys[0]).not.toContain('targetPrefix')
    expect(keys[1]).toContain('targetPrefix')
    expect(keys[1]).not.toContain('status')
    expect(keys[2]).toEqual(expect.arrayContaining(['status', 'targetPrefix']))
  })

  it('an observer that forgot rejects the next notification, and gets no other', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.observe(1)
    peer.forget()
    bed.advance(Seconds(31))
    expect(bed.machine.counters.value('dots_server_notifications_total')).toBe(1)
    bed.advance(Seconds(100))
    expect(bed.machine.counters.value('dots_server_notifications_total')).toBe(1)
    expect(peer.notifications).toEqual([])
  })
})
