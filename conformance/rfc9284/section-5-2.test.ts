import { Minutes, Seconds } from '@breakwater/core'
import { prefix } from '@breakwater/testing'
import { ServerName, checkSite, compileSite, place } from '@breakwater/dots'
import type { Site } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TwoProviders, site, targetOf } from '../../packages/dots/test/client/two-providers.ts'

let world: TwoProviders

beforeEach(() => {
  world = new TwoProviders()
})

afterEach(() => world.close())

function asked(): string[] {
  const puts = world.sent.filter((request) => request.method === 'PUT' && request.mitigationId !== undefined)
  return [...new Set(puts.map((put) => world.ispAt(put)))].toSorted()
}

describe('RFC 9284 §5.2', () => {
  it('a provider-independent target is asked of all servers [RFC9284-5.2-M01]', async () => {
    await world.start()
    world.protect('own', targetOf('203.0.113.7/32'))
    await world.advance(Seconds(5))
    expect(asked()).toEqual(['isp-a', 'isp-b'])
    expect(world.state('own')).toBe('protected')
  })

  it('a server that was out of reach is asked when it is back, while the attack is on [RFC9284-5.2-M01]', async () => {
    await world.startServer('isp-b')
    world.startClient()
    await world.advance(Seconds(1))
    world.protect('own', targetOf('203.0.113.7/32'))
    await world.advance(Minutes(3))
    expect(asked()).toEqual(['isp-b'])
    await world.startServer('isp-a')
    await world.clock.runUntil(() => asked().length === 2, Minutes(6))
    expect(asked()).toEqual(['isp-a', 'isp-b'])
  })

  it('all servers of a domain that has several are asked [RFC9284-5.2-M01]', () => {
    const [a, b] = site.domains
    const second = { ...a!.servers[0]!, name: ServerName('isp-a/second') }
    const more: Site = { ...site, domains: [{ ...a!, servers: [...a!.servers, second] }, b!] }
    const { assignments } = place(targetOf('203.0.113.7/32'), compileSite(more))
    expect(assignments.map((each) => each.server)).toEqual(['isp-a', 'isp-a/second', 'isp-b'])
  })

  it('one anycast address for the servers of two domains is refused [RFC9284-5.2-S02]', () => {
    const anycast = site.domains[0]!.servers[0]!.addresses
    const domains = site.domains.map((each) => ({
      ...each,
      interfaces: [],
      servers: each.servers.map((server) => ({ ...server, addresses: anycast }))
    }))
    const problems = checkSite({ ...site, domains })
    expect(problems.map((problem) => problem.code)).toContain('SERVER_ADDRESS_SHARED')
    expect(() => world.startClient({ site: { ...site, domains } })).toThrow(/cannot run/)
  })

  it('a client with a filter asks for what is inside it, and for nothing else [RFC9284-5.2-S03]', async () => {
    const filters = [{ name: 'only-a', prefixes: [prefix('198.51.100.0/25')] }]
    await world.start({ site: { ...site, filters } })
    world.protect('outside', targetOf('203.0.113.7/32', '100.64.7.7/32'))
    world.protect('around', targetOf('198.51.100.0/24'))
    await world.advance(Minutes(5))
    expect(asked()).toEqual(['isp-a'])
    expect(world.sent.flatMap((request) => request.prefixes)).toEqual([prefix('198.51.100.0/25')])
    expect(world.state('outside')).toBe('refused')
    expect(world.state('around')).toBe('protected')
  })
})
