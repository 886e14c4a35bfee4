import * as fc from 'fast-check'
import { hostPrefix, ipv4, prefixOf, prefixesOverlap } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { ProtectionId, mitigationId } from '../../src/domain/identifier.ts'
import type { MitigationId } from '../../src/domain/identifier.ts'
import type { Target } from '../../src/domain/target.ts'
import { compileRequests, coversTarget } from '../../src/multihoming/compiler.ts'
import type { Want } from '../../src/multihoming/compiler.ts'
import { mitigationRequestBody } from '../../src/signal/mapper.ts'
import { difference } from '../../src/multihoming/difference.ts'
import type { CurrentRequest } from '../../src/multihoming/difference.ts'
import { targetsOverlap } from '../../src/multihoming/overlap.ts'
import { net, target } from './sites.ts'

function want(protection: string, asked: Target): Want {
  return { protection: ProtectionId(protection), target: asked }
}

function withPorts(asked: Target, ...ports: number[]): Target {
  return { ...asked, ports: ports.map((port) => ({ lower: port, upper: port })) }
}

function portsOf(count: number): Target['ports'] {
  return Array.from({ length: count }, (_, index) => ({ lower: 3 * index, upper: 3 * index }))
}

const id = (value: number): MitigationId => mitigationId(value)!

describe('compiling what is wanted of one server', () => {
  it('leaves protections apart whose prefixes do not overlap', () => {
    const requests = compileRequests([
      want('web', target('192.0.2.0/25')),
      want('mail', target('192.0.2.128/25'))
    ])
    expect(requests.map((request) => request.protections)).toEqual([['web'], ['mail']])
  })

  it('puts overlapping protections into one request with the ports of both', () => {
    const requests = compileRequests([
      want('web', withPorts(target('192.0.2.0/24'), 443)),
      want('mail', withPorts(target('192.0.2.25/32'), 25))
    ])
    expect(requests).toEqual([
      {
        target: { ...withPorts(target('192.0.2.0/24'), 25, 443) },
        protections: ['mail', 'web']
      }
    ])
  })

  it('asks for every port when one of the overlapping protections names none', () => {
    const [request] = compileRequests([
      want('web', withPorts(target('192.0.2.0/24'), 443)),
      want('all', target('192.0.2.25/32'))
    ])
    expect(request?.target.ports).toEqual([])
  })

  it('ties together protections that overlap only by way of a third', () => {
    const requests = compileRequests([
      want('a', target('192.0.2.1/32')),
      want('b', target('198.51.100.1/32')),
      want('both', target('192.0.2.0/24', '198.51.100.0/24'))
    ])
    expect(requests.map((request) => request.protections)).toEqual([['a', 'b', 'both']])
  })

  it('follows a standing request by one request, lest the first of two delete what the second is to protect', () => {
    const left = [want('a', target('192.0.2.0/24')), want('b', target('198.51.100.0/24'))]
    const standing = [target('192.0.2.0/24', '198.51.100.0/24')]
    expect(compileRequests(left, standing)).toHaveLength(1)
    expect(compileRequests(left)).toHaveLength(2)
  })

  it('keeps the order of the wants, so that attacked targets go out first', () => {
    const wants = ['203.0.113.9/32', '192.0.2.1/32', '198.51.100.0/24'].map((each) =>
      want(each, target(each))
    )
    const requests = compileRequests(wants, [target('192.0.2.0/24'), target('100.64.0.0/24')])
    expect(requests.flatMap((request) => request.protections)).toEqual(wants.map((each) => each.protection))
  })

  it('splits what does not fit one datagram by prefixes', () => {
    const many = Array.from({ length: 120 }, (_, index) => prefixOf(ipv4(0xc0000200 + 2 * index), 32))
    const requests = compileRequests([want('many', { prefixes: many, ports: [], protocols: [6] })])
    expect(requests.length).toBeGreaterThan(1)
    expect(requests.flatMap((request) => request.target.prefixes)).toEqual(many)
    for (const request of requests) expect(request.target.protocols).toEqual([6])
  })

  it('lets no part of a split cross the border of a standing request, which it would take away', () => {
    const many = Array.from({ length: 120 }, (_, index) => prefixOf(ipv4(0xc0000200 + 2 * index), 32))
    const asked = { prefixes: many, ports: [], protocols: [6] }
    const standing = compileRequests([want('many', asked)]).map((request) => request.target)
    const [first, ...others] = many
    const wanted = [want('less', { ...asked, prefixes: others }), want('wide', target('192.0.2.128/26'))]
    const requests = compileRequests(wanted, standing).map((request) => request.target)
    for (const request of requests)
      expect(standing.filter((old) => targetsOverlap(old, request)).length).toBeLessThanOrEqual(1)
    for (const each of wanted) expect(coversTarget(requests, each.target)).toBe(true)
    expect(coversTarget(requests, { ...asked, prefixes: [first!] })).toBe(false)
    expectApart(requests)
  })

  it('keeps one heir of a request of which too many pieces are left, even if it protects more', () => {
    const pieces = Array.from({ length: 120 }, (_, index) => prefixOf(ipv4(0xc0000200 + 2 * index), 32))
    const asked = { prefixes: pieces, ports: [], protocols: [6] }
    const [request, ...more] = compileRequests([want('pieces', asked)], [target('192.0.2.0/24')])
    expect(more).toEqual([])
    expect(request?.target.prefixes).toEqual(target('192.0.2.0/24').prefixes)
  })

  it('widens a port list only where the ports of a single prefix do not fit', () => {
    const prefixes = [
      net('192.0.2.0/24'),
      net('198.51.100.0/24'),
      net('203.0.113.0/24'),
      net('100.64.0.0/24')
    ]
    const fitting = compileRequests([want('a', { prefixes, ports: portsOf(104), protocols: [] })])
    expect(fitting.length).toBeGreaterThan(1)
    for (const { target: each } of fitting) expect(each.ports).toEqual(portsOf(104))
    const asked = { prefixes, ports: portsOf(200), protocols: [] }
    const widened = compileRequests([want('b', asked)]).map((request) => request.target)
    expect(widened[0]?.ports.length).toBeGreaterThan(100)
    expect(widened[0]?.ports.length).toBeLessThan(200)
    expect(coversTarget(widened, asked)).toBe(true)
  })

  it.each([576, 1280, 1500])('fits every request into one datagram of a path of %i bytes', (pathMtu) => {
    const prefixes = Array.from({ length: 200 }, (_, index) => prefixOf(ipv4(0xc0000200 + 2 * index), 32))
    prefixes.push(net('2001:db8:1111:2222:3333:4444:5555:6666/128'))
    const ports = Array.from({ length: 60 }, (_, index) => ({ lower: 3 * index, upper: 3 * index + 1 }))
    const asked = { prefixes, ports, protocols: [6, 17] }
    const requests = compileRequests([want('many', asked)], [], pathMtu).map((request) => request.target)
    for (const each of requests) {
      const body = encodeSignal(mitigationRequestBody(each, 3600))
      // IPv6 and UDP, DTLS 1.2 with AEAD, CoAP with a token of 8, Uri-Path, cuid and mid.
      expect(body.length + 48 + 37 + 110).toBeLessThanOrEqual(pathMtu)
    }
    expect(coversTarget(requests, asked)).toBe(true)
  })
})

describe('the difference between what stands and what is wanted', () => {
  const standing: CurrentRequest[] = [{ mitigationId: id(7), target: target('192.0.2.0/24') }]

  it('keeps a request whose target stays the same, whoever needs it', () => {
    const wanted = compileRequests([want('a', target('192.0.2.0/24')), want('b', target('192.0.2.9/32'))])
    expect(difference(standing, wanted)).toMatchObject({
      kept: [{ mitigationId: 7 }],
      added: [],
      retired: []
    })
  })

  it('asks anew for a wider scope and names the request that it replaces', () => {
    const wanted = compileRequests([want('a', target('192.0.2.0/24', '10.0.0.0/8'))])
    const found = difference(standing, wanted)
    expect(found.added).toHaveLength(1)
    expect(found.retired).toEqual([{ mitigationId: 7, replacedBy: found.added }])
  })

  it('withdraws what nobody needs any more', () => {
    expect(difference(standing, [])).toEqual({
      kept: [],
      added: [],
      retired: [{ mitigationId: 7, replacedBy: [] }]
    })
  })
})

/** A server that does what RFC 9132 §4.4.1.3 says: the higher mid deletes all that it overlaps. */
class OverlapServer {
  readonly requests = new Map<number, Target>()

  put(mid: number, asked: Target): void {
    for (const [other, standing] of this.requests)
      if (other < mid && targetsOverlap(standing, asked)) this.requests.delete(other)
    this.requests.set(mid, asked)
  }
}

const smallPrefix = fc
  .tuple(fc.integer({ min: 0, max: 0xff }), fc.integer({ min: 24, max: 32 }))
  .map(([low, length]) => prefixOf(ipv4(0xc0000200 + low), length))

const randomTarget: fc.Arbitrary<Target> = fc.record({
  prefixes: fc.array(smallPrefix, { minLength: 1, maxLength: 3 }),
  ports: fc.array(
    fc.integer({ min: 0, max: 9 }).map((port) => ({ lower: port, upper: port })),
    { maxLength: 2 }
  ),
  protocols: fc.array(fc.constantFrom(6, 17), { maxLength: 1 })
})

const step = fc.record({
  slot: fc.integer({ min: 0, max: 9 }),
  asked: fc.option(randomTarget, { nil: undefined })
})

describe('over 10,000 random protections that overlap and come and go', () => {
  it(
    'no request of ours removes a target that a live protection needs, and nothing unneeded stays',
    { timeout: 60_000 },
    () => {
      let asked = 0
      fc.assert(
        fc.property(fc.array(step, { minLength: 25, maxLength: 25 }), (steps) => {
          asked += steps.filter((each) => each.asked !== undefined).length
          const live = new Map<number, Want>()
          const atServer = new OverlapServer()
          let mid = 0
          for (const { slot, asked: wished } of steps) {
            if (wished === undefined) live.delete(slot)
            else live.set(slot, want(`p${slot}`, wished))
            const wants = [...live.values()]
            const standing = [...atServer.requests].map(([value, standingTarget]) => {
              return { mitigationId: id(value), target: standingTarget }
            })
            const wanted = compileRequests(
              wants,
              standing.map((request) => request.target)
            )
            expectApart(wanted.map((request) => request.target))
            const { added, retired } = difference(standing, wanted)
            const before = wants.filter((each) =>
              coversTarget(
                standing.map((request) => request.target),
                each.target
              )
            )
            for (const request of added) {
              atServer.put(++mid, request.target)
              // Not only at the end: after every single message.
              for (const each of before)
                expect(coversTarget([...atServer.requests.values()], each.target)).toBe(true)
            }
            for (const old of retired) {
              if (old.replacedBy.length > 0) expect(atServer.requests.has(old.mitigationId)).toBe(false)
              atServer.requests.delete(old.mitigationId)
            }
            for (const each of wants)
              expect(coversTarget([...atServer.requests.values()], each.target)).toBe(true)
            for (const request of atServer.requests.values())
              for (const prefix of request.prefixes)
                expect(
                  wants.some((each) => each.target.prefixes.some((own) => prefixesOverlap(own, prefix)))
                ).toBe(true)
          }
        }),
        { numRuns: 500 }
      )
      expect(asked).toBeGreaterThan(10_000)
    }
  )
})

function expectApart(targets: readonly Target[]): void {
  for (const [index, one] of targets.entries())
    for (const other of targets.slice(index + 1)) expect(targetsOverlap(one, other)).toBe(false)
}

describe('covering', () => {
  it('sees a hole of one address', () => {
    const whole = target('192.0.2.0/30')
    const rest = { prefixes: [net('192.0.2.0/31'), net('192.0.2.2/32')], ports: [], protocols: [] }
    expect(coversTarget([rest], whole)).toBe(false)
    expect(
      coversTarget(
        [rest, { prefixes: [hostPrefix(net('192.0.2.3/32').address)], ports: [], protocols: [] }],
        whole
      )
    ).toBe(true)
  })

  it('does not count a request for fewer ports', () => {
    expect(coversTarget([withPorts(target('192.0.2.0/24'), 80)], target('192.0.2.0/24'))).toBe(false)
  })
})
