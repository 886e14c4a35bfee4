import { Milliseconds, Minutes, Seconds } from '@breakwater/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TwoProviders, targetOf } from './two-providers.ts'

let world: TwoProviders

beforeEach(() => {
  world = new TwoProviders()
})

afterEach(async () => {
  expect(world.wrongServerRequests()).toEqual([])
  await world.close()
})

function gaps(requests: readonly { readonly at: number }[]): number[] {
  return requests.slice(1).map((request, index) => request.at - (requests[index]?.at ?? 0))
}

function session(server: string): string | undefined {
  return world.client.status().sessions.find((each) => each.server === server)?.state
}

/** How often a handshake with isp-a was started. */
function attempts(): number {
  return world.clientEndpointConnects('isp-a').length
}

describe('a provider that is out of reach', () => {
  it('makes the protections of its prefixes wait, and nobody else hears of them', async () => {
    await world.startServer('isp-b')
    world.startClient()
    await world.advance(Seconds(1))
    const status = world.protect('web', targetOf('198.51.100.7/32'))
    expect(status).toMatchObject({ state: 'waiting', alarm: true })
    await world.advance(Minutes(10))
    expect(world.state('web')).toBe('waiting')
    expect(world.mitigationRequests()).toEqual([])
  })

  it('gets the request the moment it is back', async () => {
    await world.startServer('isp-b')
    world.startClient()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(70))
    await world.startServer('isp-a')
    await world.clock.runUntil(() => session('isp-a') === 'established', Minutes(10))
    expect(world.mitigationRequests()).toEqual(['PUT isp-a'])
    await world.advance(Milliseconds(50))
    expect(world.state('web')).toBe('protected')
  })

  it('leaves a provider-independent protection partly in force', async () => {
    await world.startServer('isp-b')
    world.startClient()
    await world.advance(Seconds(1))
    world.protect('own', targetOf('203.0.113.7/32'))
    world.protect('own-any', targetOf('203.0.113.8/32'), { require: 'any' })
    await world.advance(Seconds(1))
    const [all, any] = world.client.status().protections
    expect(all).toMatchObject({ state: 'partly-protected', alarm: true })
    expect(any).toMatchObject({ state: 'partly-protected', alarm: false })
    expect(all?.missing).toMatchObject([{ kind: 'waiting', server: 'isp-a' }])
  })

  it('lets a protection be released that it never heard of, without a word', async () => {
    await world.startServer('isp-b')
    world.startClient()
    world.protect('web', targetOf('198.51.100.7/32'))
    expect(world.release('web')?.state).toBe('ended')
    await world.startServer('isp-a')
    await world.advance(Minutes(10))
    expect(session('isp-a')).toBe('established')
    expect(world.mitigationRequests()).toEqual([])
  })
})

describe('re-establishment', () => {
  it('spaces attempts that fail: never within 60 seconds, at last every 300 [RFC9132-4.7-M04]', async () => {
    world.startClient()
    await world.advance(Minutes(40))
    const spaces = gaps(world.clientEndpointConnects('isp-a'))
    expect(spaces.length).toBeGreaterThan(5)
    expect(Math.min(...spaces)).toBeGreaterThanOrEqual(60_000)
    expect(spaces.at(-1)).toBeGreaterThanOrEqual(300_000)
  })

  it('comes at once after the loss of a session that lasted [RFC9132-4.7-M03]', async () => {
    await world.start()
    await world.advance(Minutes(5))
    await world.stopServer('isp-a')
    await world.startServer('isp-a')
    await world.advance(Seconds(1))
    expect(session('isp-a')).toBe('established')
  })

  it('tries again soon when nothing could be sent, for want of its source address', async () => {
    const interfaceA = world.siteHost.interface('wan-a')
    const own = interfaceA.addresses
    interfaceA.renumber([])
    await world.startServer('isp-a')
    await world.startServer('isp-b')
    world.startClient()
    await world.advance(Seconds(20))
    expect(world.client.status().sessions[0]).toMatchObject({
      state: 'pausing',
      text: 'udp 192.0.2.1 nothing could be sent; tcp 192.0.2.1 nothing could be sent'
    })
    expect(attempts()).toBe(0)
    interfaceA.renumber(own)
    await world.advance(Seconds(6))
    expect(session('isp-a')).toBe('established')
  })

  it('does not storm a server that ends each session at once', async () => {
    await world.start()
    for (let round = 0; round < 5; round++) {
      await world.stopServer('isp-a')
      await world.startServer('isp-a')
      await world.advance(Seconds(10))
    }
    expect(attempts()).toBeLessThanOrEqual(2)
  })

  it('finds a server that restarted and lost nothing still in force', async () => {
    await world.start()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Minutes(2))
    await world.stopServer('isp-a')
    await world.startServer('isp-a')
    await world.advance(Seconds(5))
    expect(world.state('web')).toBe('protected')
    expect(world.mitigationRequests().filter((each) => each.startsWith('PUT'))).toHaveLength(1)
  })

  it('asks again a server that forgot everything', async () => {
    await world.start()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Minutes(2))
    await world.stopServer('isp-a')
    world.providers['isp-a'].store.records.clear()
    world.providers['isp-a'].mitigator.plans.clear()
    await world.startServer('isp-a')
    await world.advance(Seconds(5))
    expect(world.state('web')).toBe('protected')
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32'])
  })
})

describe('a request without an answer', () => {
  it('is repeated every 3 seconds and not more often [RFC9132-4.4-M02]', async () => {
    await world.start()
    await world.advance(Minutes(1))
    world.siteHost.link('wan-a').cut('down')
    world.protect('web', targetOf('198.51.100.7/32'))
    world.protect('mail', targetOf('198.51.100.25/32'))
    await world.advance(Seconds(60))
    const puts = world.sent.filter(
      (request) => request.method === 'PUT' && request.mitigationId !== undefined
    )
    // The estimate of the round trip serves for the first of each; who gets no answer has none any more.
    expect(gaps(puts.slice(2)).length).toBeGreaterThan(10)
    expect(Math.min(...gaps(puts.slice(2)))).toBeGreaterThanOrEqual(3000)
    for (const { path } of puts.slice(0, 2))
      expect(Math.min(...gaps(puts.filter((put) => put.path === path)))).toBeGreaterThanOrEqual(3000)
    // The server heard of both: it protects although its answers are lost.
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32', 'isp-a: 198.51.100.25/32'])
    world.siteHost.link('wan-a').mend()
    await world.advance(Seconds(10))
    expect(world.state('web')).toBe('protected')
    expect(world.state('mail')).toBe('protected')
  })

  it('keeps its session while an attack is on, whatever heartbeats say [RFC9132-4.7-M06]', async () => {
    await world.start()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(5))
    const before = world.client.status().sessions[0]
    world.siteHost.link('wan-a').cut('down')
    await world.advance(Minutes(20))
    const during = world.client.status().sessions[0]
    expect(during?.state).toBe('silent')
    expect(during?.sinceSeconds).toBeGreaterThan(before?.sinceSeconds ?? 0)
    world.siteHost.link('wan-a').mend()
    await world.advance(Minutes(1))
    expect(session('isp-a')).toBe('established')
    expect(world.state('web')).toBe('protected')
  })

  it('tries a second session beside the silent one, and stays with the one that works [RFC9132-4.7-S02]', async () => {
    await world.start()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(5))
    world.siteHost.link('wan-a').cut('down')
    await world.advance(Minutes(20))
    expect(session('isp-a')).toBe('silent')
    const handshakes = world.clientEndpointConnects('isp-a')
    expect(handshakes.length).toBeGreaterThan(2)
    expect(Math.min(...gaps(handshakes))).toBeGreaterThanOrEqual(60_000)
    // From a port of its own: a server knows a session by its addresses, and would end the old one for the new.
    expect(handshakes[1]?.localPort).not.toBe(handshakes[0]?.localPort)
    world.siteHost.link('wan-a').mend()
    await world.clock.runUntil(() => session('isp-a') === 'established', Minutes(6))
    expect(session('isp-a')).toBe('established')
    expect(world.state('web')).toBe('protected')
    await world.advance(Minutes(20))
    expect(session('isp-a')).toBe('established')
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32'])
  })

  it('counts a silent session as disconnected when no attack is on', async () => {
    await world.start()
    world.siteHost.link('wan-a').cut()
    await world.advance(Minutes(12))
    expect(session('isp-a')).not.toBe('established')
    world.siteHost.link('wan-a').mend()
    await world.clock.runUntil(() => session('isp-a') === 'established', Minutes(6))
    expect(session('isp-a')).toBe('established')
    expect(session('isp-b')).toBe('established')
  })
})

describe('a protection that lasts', () => {
  it('is refreshed before its lifetime ends, with the same mid and everything but the lifetime unchanged', async () => {
    await world.start()
    world.protect('web', targetOf('198.51.100.7/32'), { lifetime: 600 })
    await world.advance(Minutes(60))
    const puts = world.sent.filter(
      (request) => request.method === 'PUT' && request.mitigationId !== undefined
    )
    expect(puts.length).toBeGreaterThanOrEqual(8)
    expect(new Set(puts.map((put) => JSON.stringify([put.path, put.prefixes]))).size).toBe(1)
    expect(world.state('web')).toBe('protected')
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32'])
  })

  it('is asked for anew when the server granted less than was asked', async () => {
    await world.startServer('isp-a', { policy: { lifetime: { maximumSeconds: 60, grantIndefinite: false } } })
    await world.startServer('isp-b')
    world.startClient()
    await world.advance(Seconds(1))
    world.protect('web', targetOf('198.51.100.7/32'), { lifetime: 'indefinite' })
    await world.advance(Minutes(10))
    expect(world.state('web')).toBe('protected')
  })
})

describe('protections that overlap', () => {
  it('share a request at the server, and the release of one leaves the other protected', async () => {
    await world.start()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(1))
    world.protect('net', targetOf('198.51.100.0/28'))
    await world.advance(Seconds(1))
    expect(world.client.status().requests).toMatchObject([{ protections: ['net', 'web'] }])
    expect(world.state('web')).toBe('protected')
    world.release('net')
    await world.advance(Seconds(1))
    expect(world.state('net')).toBeUndefined()
    expect(world.state('web')).toBe('protected')
    await world.advance(Minutes(10))
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32'])
  })

  it('need nothing to be sent when a narrower one comes and goes', async () => {
    await world.start()
    world.protect('net', targetOf('198.51.100.0/28'))
    await world.advance(Seconds(1))
    const before = world.mitigationRequests().length
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(1))
    expect(world.state('web')).toBe('protected')
    world.release('web')
    await world.advance(Seconds(1))
    expect(world.state('web')).toBeUndefined()
    expect(world.mitigationRequests().length).toBe(before)
  })
})

describe('providers that disagree', () => {
  it('are shown as they are: one protects, one refuses', async () => {
    await world.startServer('isp-a', { domains: [] })
    await world.startServer('isp-b')
    world.startClient()
    await world.advance(Seconds(1))
    world.protect('own', targetOf('203.0.113.7/32'))
    await world.advance(Seconds(5))
    const [status] = world.client.status().protections
    expect(status?.state).toBe('partly-protected')
    expect(status?.servers.map((each) => `${each.server} ${each.state}`)).toEqual([
      'isp-a refused',
      'isp-b in-force'
    ])
    expect(status?.servers[0]?.text).toMatch(/^4\.01/)
  })
})

describe('a client that restarts', () => {
  it('goes on with higher mitigation ids and replaces what it left behind', async () => {
    await world.start()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(1))
    await world.client.close()
    await world.advance(Seconds(5))
    world.startClient()
    await world.advance(Seconds(1))
    world.protect('net', targetOf('198.51.100.0/28'))
    await world.advance(Seconds(1))
    expect(world.state('net')).toBe('protected')
    await world.advance(Minutes(10))
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.0/28'])
  })

  it('finds its way past a higher id when its calendar went back', async () => {
    await world.start()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(1))
    await world.client.close()
    world.clock.stepWallClock(Seconds(-100_000))
    world.startClient()
    world.protect('web', targetOf('198.51.100.7/32'))
    world.protect('net', targetOf('198.51.100.0/28'))
    await world.advance(Seconds(10))
    expect(world.state('net')).toBe('protected')
  })
})
