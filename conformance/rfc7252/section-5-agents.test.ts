import { Code, Method, OptionNumber, readUint, uintOption } from '@breakwater/coap'
import { Minutes, Seconds } from '@breakwater/core'
import { mitigatePath } from '@breakwater/dots'
import { encodeSignal } from '@breakwater/model'
import { describe, expect, test } from 'vitest'

import { MINUTE, ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import { target } from '../../packages/dots/test/multihoming/sites.ts'
import { CUID, mid, only, ServerBed } from '../../packages/dots/test/server/server-bed.ts'

/** What RFC 7252 asks of applications, at the DOTS agents, which are applications of it. */
const TARGET = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }
const BODY = encodeSignal({ mitigationScope: { scope: [TARGET] } })
const PUT = 'PUT /.well-known/dots/mitigate'
const web = want('web', target('198.51.100.7/32'))

/** All that a server has that a client could have changed. */
function stateOf(bed: ServerBed): unknown {
  return { records: [...bed.records], inForce: bed.plans(), applied: bed.applyCalls.length }
}

describe('RFC 7252 §5.1, §5.8: methods at a DOTS server', () => {
  test('GET changes nothing, and says 2.05 [RFC7252-5.1-M01] [RFC7252-5.8.1-S01]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    const before = stateOf(bed)
    for (const seen of [peer.get(1), peer.get(), peer.config()]) expect(only(seen).code).toBe('2.05')
    peer.get(2)
    bed.advance(Seconds(10))
    expect(stateOf(bed)).toEqual(before)
    expect(before).not.toEqual(stateOf(new ServerBed()))
  })

  test('GET, PUT and DELETE done twice are as if done once [RFC7252-5.1-M02]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    const { inForce, applied } = stateOf(bed) as { inForce: string[]; applied: number }
    expect(only(peer.put(1, TARGET)).code).toBe('2.04')
    expect(stateOf(bed)).toMatchObject({ inForce, applied })
    const [first, second] = [only(peer.get(1)), only(peer.get(1))]
    expect(second.body).toEqual(first.body)
    expect([only(peer.delete(1)).code, only(peer.delete(1)).code]).toEqual(['2.02', '2.02'])
    bed.advance(Minutes(10))
    expect(bed.plans()).toEqual([])
    expect(bed.withdrawCalls).toHaveLength(1)
  })

  test('PUT of what is there modifies it, and says 2.04 [RFC7252-5.8.3-S01]', () => {
    const peer = new ServerBed().establish()
    expect(only(peer.put(1, TARGET)).code).toBe('2.01')
    expect(only(peer.put(1, { ...TARGET, lifetime: 60 })).code).toBe('2.04')
    expect(only(peer.get(1)).body?.mitigationScope?.scope?.map(({ lifetime }) => lifetime)).toEqual([60])
  })

  test('a PUT that neither creates nor modifies says why, by an error [RFC7252-5.8.3-S02]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    const answers = [
      peer.putBody(1, Uint8Array.of(0xff)),
      peer.put(2, { ...TARGET, lifetime: 0 }),
      peer.put(3, { ...TARGET, targetPrefix: ['198.51.100.1/32'] })
    ].map((seen) => only(seen).code)
    for (const code of answers) expect(code).toMatch(/^4\./)
    bed.storeFailure = { code: 'STORE_DOWN', message: 'no disk', retryable: true }
    expect(only(peer.put(4, TARGET)).code).toBe('5.03')
    expect(bed.plans()).toEqual([])
    expect(only(peer.get()).code).toBe('4.04')
  })

  test('DELETE says 2.02, and also of what was never there [RFC7252-5.8.4-S01]', () => {
    const peer = new ServerBed().establish()
    peer.put(1, TARGET)
    expect([only(peer.delete(1)).code, only(peer.delete(2)).code]).toEqual(['2.02', '2.02'])
  })
})

const put = (format: number): string => {
  const options = [...mitigatePath(CUID, mid(1)), uintOption(OptionNumber.contentFormat, format)]
  return only(new ServerBed().establish().request(Method.put, options, BODY)).code
}

describe('RFC 7252 §5.5, §5.6, §5.10: representations at a DOTS server', () => {
  test('a body is what its Content-Format says, whatever it looks like [RFC7252-5.5.1-S01]', () => {
    expect(put(271)).toBe('2.01')
    // The same bytes, under other names: nobody looks inside whether they might be what we know.
    expect([put(60), put(50), put(0)]).toEqual(['4.15', '4.15', '4.15'])
  })

  test('what must not be kept says so: Max-Age is 0 [RFC7252-5.6.1-M01]', () => {
    const peer = new ServerBed().establish()
    peer.put(1, TARGET)
    for (const seen of [peer.get(1), peer.get()])
      expect(readUint(only(seen).response.options, OptionNumber.maxAge)).toBe(0)
  })

  test('a format that is not to be had is a 4.06, on every resource; another error goes before [RFC7252-5.10.4-M01]', () => {
    const peer = new ServerBed().establish()
    peer.put(1, TARGET)
    const json = [uintOption(OptionNumber.accept, 50)]
    const dots = [uintOption(OptionNumber.accept, 271)]
    expect([only(peer.get(1, json)).code, only(peer.get(undefined, json)).code]).toEqual(['4.06', '4.06'])
    expect(only(peer.config(json)).code).toBe('4.06')
    expect([only(peer.get(1, dots)).code, only(peer.config(dots)).code]).toEqual(['2.05', '2.05'])
    expect(only(peer.request(Method.post, [...mitigatePath(CUID), ...json])).code).toMatch(/^4\.0[56]$/)
  })

  test('a condition that does not hold lets nothing be done [RFC7252-5.10.8-M01] [RFC7252-5.10.8-M02]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    const before = stateOf(bed)
    const update = { ...TARGET, attackStatus: 2 }
    expect(only(peer.update(1, update, { match: Uint8Array.of(1) })).code).toBe('4.12')
    expect(stateOf(bed)).toEqual(before)
  })
})

describe('RFC 7252 §5.9: a DOTS client and errors', () => {
  test('does not repeat a request that is unauthorized, with the same credentials [RFC7252-5.9.2.2-S01]', () => {
    expect(putsAfter(Code.unauthorized)).toBe(1)
    // Unlike one that was never answered.
    expect(putsAfter(undefined)).toBeGreaterThan(10)
  })

  test('does not repeat a request that is forbidden, unless it is another one [RFC7252-5.9.2.3-S01]', () => {
    expect(putsAfter(Code.forbidden)).toBe(1)
    const server = new ScriptedServer()
    server.connect()
    server.want(web)
    server.answer(server.last(PUT), Code.forbidden)
    server.want(want('web', target('198.51.100.8/32')))
    expect(server.requests(PUT)).toHaveLength(2)
    expect(server.requests(PUT).map(({ scope }) => scope[0]?.targetPrefix)).toEqual([
      ['198.51.100.7/32'],
      ['198.51.100.8/32']
    ])
  })
})

/** How many PUTs are sent in seven minutes after this answer to the first. */
function putsAfter(code: number | undefined): number {
  const server = new ScriptedServer()
  server.connect()
  server.want(web)
  if (code !== undefined) server.answer(server.last(PUT), code)
  for (let minute = 0; minute < 7; minute++) server.pass(MINUTE)
  return server.requests(PUT).length
}
