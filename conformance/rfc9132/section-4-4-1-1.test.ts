import { Method, stringOption, OptionNumber, uriPath } from '@breakwater/coap'
import { Milliseconds, Seconds } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import type { MitigationScopeEntry } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import {
  CUID,
  ServerBed,
  certificate,
  cuid,
  entryOf,
  only
} from '../../packages/dots/test/server/server-bed.ts'
import type { Peer } from '../../packages/dots/test/server/server-bed.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }

function refusalOf(entry: MitigationScopeEntry): { code: string; text: string } {
  const bed = new ServerBed()
  const { code, text } = only(bed.establish().put(1, entry))
  expect(bed.records.size).toBe(0)
  expect(bed.applyCalls).toEqual([])
  return { code, text }
}

function putAt(peer: Peer, ...segments: string[]): string {
  const path = uriPath('.well-known', 'dots', 'mitigate', ...segments)
  return only(peer.request(Method.put, path, encodeSignal({ mitigationScope: { scope: [TARGET] } }))).code
}

describe('RFC 9132 §4.4.1.1: what a mitigation request may be', () => {
  it("'mid' follows 'cuid' [RFC9132-4.4.1.1-M01]", () => {
    const peer = new ServerBed().establish()
    expect(putAt(peer, 'mid=1', `cuid=${CUID}`)).toBe('4.00')
    expect(putAt(peer, `cuid=${CUID}`, 'mid=1')).toBe('2.01')
  })

  it('answers 4.09 when the cuid is in use by another client [RFC9132-4.4.1.1-M05]', () => {
    const bed = new ServerBed()
    bed.establish().put(1, TARGET)
    const second = bed.establish(certificate('second.example.net'))
    const answer = only(second.put(2, { targetPrefix: ['192.0.2.8/32'], lifetime: 3600 }))
    expect(answer.code).toBe('4.09')
    expect([...bed.records.keys()]).toEqual([`${CUID}/1`])
    expect(only(second.delete(1)).code).toBe('4.09')
    expect(bed.plans()).toHaveLength(1)
  })

  it('the same client keeps its cuid over sessions, also with another name of its certificate behind the first', () => {
    const bed = new ServerBed()
    bed.establish().put(1, TARGET)
    const again = bed.establish(certificate('client.example.net', 'alias.example.net'))
    expect(only(again.put(1, TARGET)).code).toBe('2.04')
  })

  it('a cuid is free again when nothing of its client is left', () => {
    const bed = new ServerBed({ policy: { activeButTerminating: Seconds(0) } })
    const first = bed.establish()
    first.put(1, TARGET)
    first.delete(1)
    bed.advance(Seconds(1))
    bed.feed({ kind: 'session-closed', peer: first.id, reason: 'close-notify' })
    const second = bed.establish(certificate('second.example.net'))
    expect(only(second.put(2, TARGET)).code).toBe('2.01')
  })

  it.each([
    ['cuid', { cuid: 'dz6pHjaADkaFTbjr0JGBpw' }],
    ['mid', { mid: 1 }]
  ])("'%s' has no place in the body [RFC9132-4.4.1.1-M13]", (name, extra) => {
    const { code, text } = refusalOf({ ...TARGET, ...extra })
    expect(code).toBe('4.00')
    expect(text).toContain(name)
  })

  it("'cdid' has no place in the body [RFC9132-4.4.1.1-M24]", () => {
    const { code, text } = refusalOf({ ...TARGET, cdid: '7eeaf349529eb55ed50113' })
    expect(code).toBe('4.00')
    expect(text).toContain('cdid')
  })

  it.each([
    ['127.0.0.1/32', 'loopback'],
    ['::1/128', 'loopback'],
    ['224.0.0.251/32', 'multicast'],
    ['ff02::1/128', 'multicast'],
    ['255.255.255.255/32', 'broadcast'],
    ['0.0.0.0/0', 'loopback'],
    ['::/0', 'loopback'],
    ['0.0.0.0/32', 'unspecified'],
    ['::ffff:127.0.0.1/128', 'loopback']
  ])('refuses %s, which has %s addresses [RFC9132-4.4.1.1-M14]', (prefix, why) => {
    const { code, text } = refusalOf({ targetPrefix: [prefix], lifetime: 3600 })
    expect(code).toBe('4.00')
    expect(text).toContain(why)
  })

  it('a prefix outside the client domain is refused, counted and changes nothing [RFC9132-4.4.1.1-M15] [RFC9132-11-M03] [RFC9132-11-M04]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    for (const prefixes of [
      ['198.51.100.7/32'],
      ['192.0.2.7/32', '198.51.100.7/32'],
      ['192.0.0.0/16'],
      ['2001::/16']
    ])
      expect(only(peer.put(1, { targetPrefix: prefixes, lifetime: 3600 })).code).toBe('4.00')
    expect(bed.records.size).toBe(0)
    expect(bed.applyCalls).toEqual([])
    expect(bed.machine.sizes().clients).toBe(0)
    expect(bed.machine.counters.value('dots_server_requests_total', 'foreign-target')).toBe(4)
    const [event] = bed.eventsOf('request')
    expect(event).toMatchObject({
      outcome: 'foreign-target',
      targets: ['198.51.100.7/32'],
      identity: 'dns:client.example.net'
    })
  })

  it('a bit behind the prefix length is refused with the network that was perhaps meant', () => {
    const { code, text } = refusalOf({ targetPrefix: ['192.0.2.7/24'], lifetime: 3600 })
    expect(code).toBe('4.00')
    expect(text).toContain('192.0.2.0/24')
  })

  it('a missing lifetime is refused, as it is mandatory', () => {
    const { code, text } = refusalOf({ targetPrefix: ['192.0.2.7/32'] })
    expect(code).toBe('4.00')
    expect(text).toContain('lifetime')
  })

  it('an indefinite lifetime is granted where the operator wants it', () => {
    const bed = new ServerBed({ policy: { lifetime: { maximumSeconds: 7200, grantIndefinite: true } } })
    const peer = bed.establish()
    expect(entryOf(only(peer.put(1, { ...TARGET, lifetime: -1 }))).lifetime).toBe(-1)
    expect(entryOf(only(peer.get(1))).lifetime).toBe(-1)
    bed.advance(Seconds(1_000_000))
    expect(entryOf(only(peer.get(1))).status).toBe(2)
  })

  it('a refused indefinite lifetime becomes the longest that is granted [RFC9132-4.4.1.1-O03]', () => {
    const bed = new ServerBed({ policy: { lifetime: { maximumSeconds: 7200, grantIndefinite: false } } })
    const answer = only(bed.establish().put(1, { ...TARGET, lifetime: -1 }))
    expect(answer.code).toBe('2.01')
    expect(entryOf(answer).lifetime).toBe(7200)
  })

  it('the actual lifetime is told in the answer and what is left of it in the status [RFC9132-4.4.1.1-M20]', () => {
    const bed = new ServerBed({ policy: { lifetime: { maximumSeconds: 600, grantIndefinite: false } } })
    const peer = bed.establish()
    expect(entryOf(only(peer.put(1, TARGET))).lifetime).toBe(600)
    bed.advance(Seconds(100))
    expect(entryOf(only(peer.get(1))).lifetime).toBe(500)
  })

  it('at the end of its lifetime a mitigation is removed and its filter withdrawn', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, { ...TARGET, lifetime: 60 })
    bed.advance(Milliseconds(59_999))
    expect(only(peer.get(1)).code).toBe('2.05')
    expect(bed.plans()).toHaveLength(1)
    bed.advance(Milliseconds(1))
    expect(only(peer.get(1)).code).toBe('4.04')
    expect(bed.plans()).toEqual([])
    expect(bed.records.size).toBe(0)
  })

  it('one of the target attributes must be there [RFC9132-4.4.1.1-M22]', () => {
    expect(refusalOf({ lifetime: 3600 }).code).toBe('4.00')
    expect(refusalOf({ lifetime: 3600, targetProtocol: [17] }).code).toBe('4.00')
  })

  it.each([
    [`cuid=`, 'mid=1'],
    [`cuid=${CUID}`, 'mid='],
    ['cdid=', `cuid=${CUID}`, 'mid=1']
  ])('an empty Uri-Path value makes the request invalid: %s [RFC9132-4.4.1.1-M23]', (...segments) => {
    expect(putAt(new ServerBed().establish(), ...segments)).toBe('4.00')
  })

  it.each([
    [0xa1, 0x01, 0xa1, 0x02, 0x81, 0xa2, 0x06, 0x80, 0x0e, 0x19, 0x0e, 0x10],
    [0xa1, 0x01, 0xa1, 0x02, 0x81, 0xa2, 0x06, 0x81, 0x60, 0x0e, 0x19, 0x0e, 0x10],
    [0xa1, 0x01, 0xa1, 0x02, 0x80],
    [0xa1, 0x01, 0xa0]
  ])('an empty value in the body makes the request invalid [RFC9132-4.4.1.1-M23]', (...bytes) => {
    const bed = new ServerBed()
    expect(only(bed.establish().putBody(1, Uint8Array.from(bytes))).code).toBe('4.00')
    expect(bed.records.size).toBe(0)
  })

  it('a mitigation id outside uint32 is no mitigation id', () => {
    const peer = new ServerBed().establish()
    for (const value of ['4294967296', '-1', '01', '1.0', 'x', ' 1'])
      expect(putAt(peer, `cuid=${CUID}`, `mid=${value}`)).toBe('4.00')
    expect(putAt(peer, `cuid=${CUID}`, 'mid=4294967295')).toBe('2.01')
  })
})

describe("RFC 9132 §4.4.1.2: 'cdid'", () => {
  it('ignores a cdid that a client supplies [RFC9132-4.4.1.2-M04]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    expect(putAt(peer, 'cdid=7eeaf349529eb55ed50113', `cuid=${CUID}`, 'mid=1')).toBe('2.01')
    // The same mitigation with and without it, and nobody else's with another.
    expect(only(peer.put(1, TARGET)).code).toBe('2.04')
    expect([...bed.records.keys()]).toEqual([`${CUID}/1`])
  })

  it("stands before 'cuid' [RFC9132-4.4.1.2-M06]", () => {
    const peer = new ServerBed().establish()
    expect(putAt(peer, `cuid=${CUID}`, 'cdid=7eeaf349529eb55ed50113', 'mid=1')).toBe('4.00')
  })

  it('a Uri-Query is no part of the path', () => {
    const peer = new ServerBed().establish()
    peer.put(1, TARGET)
    expect(only(peer.get(1, [stringOption(OptionNumber.uriQuery, 'c=n')])).code).toBe('2.05')
  })

  it('two clients of a domain have cuids of their own', () => {
    const bed = new ServerBed()
    bed.establish().put(1, TARGET)
    const second = bed.establish(certificate('second.example.net'))
    const other = { targetPrefix: ['192.0.2.9/32'], lifetime: 60 }
    expect(only(second.put(1, other, cuid('f30d281ce6b64fc5a0b91e'))).code).toBe('2.01')
    expect(only(second.get(undefined, [])).code).toBe('4.04')
  })
})
