import { Milliseconds, Minutes, Seconds } from '@breakwater/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TwoProviders, siteOver, targetOf } from './two-providers.ts'
import type { WireRequest } from './wire.ts'

let world: TwoProviders

beforeEach(async () => {
  world = new TwoProviders()
  for (const isp of ['isp-a', 'isp-b'] as const)
    await world.startServer(isp, { listen: world.listenOver(isp, 'tcp') })
})

afterEach(async () => {
  expect(world.wrongServerRequests()).toEqual([])
  expect(world.sent.filter(({ transport }) => transport === 'udp')).toEqual([])
  await world.close()
})

async function start(): Promise<void> {
  world.startClient({ site: siteOver('tcp') })
  await world.advance(Seconds(1))
}

function session(server = 'isp-a'): string {
  const found = world.client.status().sessions.find((each) => each.server === server)
  return `${found?.state} ${found?.path?.transport}`
}

function toIspA(): WireRequest[] {
  return world.sent.filter((request) => world.ispAt(request) === 'isp-a')
}

function heartbeats(): WireRequest[] {
  return toIspA().filter(({ path }) => path.endsWith('/hb'))
}

function siteLink(): ReturnType<typeof world.siteHost.link> {
  return world.siteHost.link('wan-a')
}

describe('the whole signal channel over TCP', () => {
  it('has sessions with both providers before anything happens', async () => {
    await start()
    expect([session('isp-a'), session('isp-b')]).toEqual(['established tcp', 'established tcp'])
  })

  it('takes a protection to a filter at the right provider, and back', async () => {
    await start()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(1))
    expect(world.state('web')).toBe('protected')
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32'])
    expect(world.release('web')?.state).toBe('ending')
    await world.advance(Seconds(180))
    expect(world.state('web')).toBeUndefined()
    expect(world.mitigated()).toEqual([])
  })

  it('sends everything at once: what is paced on datagrams is not paced here', async () => {
    await start()
    const targets = Array.from({ length: 5 }, (_, index) => `198.51.100.${16 * index}/32`)
    for (const target of targets) world.protect(target, targetOf(target))
    await world.advance(Seconds(1))
    const puts = toIspA().filter(({ method, path }) => method === 'PUT' && path.includes('mitigate'))
    expect(new Set(puts.map(({ at }) => at)).size).toBe(1)
    expect(puts).toHaveLength(5)
  })

  it('brings the counters in notifications, which a change and the status interval cause', async () => {
    await start()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(65))
    const [request] = world.client.status().requests
    expect(request).toMatchObject({ state: 'in-force', bytesDropped: 34n, packetsDropped: 12n })
    // Once asked, nobody asks again: the observation lives as long as the connection (RFC 8323 §7.3).
    const gets = toIspA().filter(({ method }) => method === 'GET').length
    await world.advance(Minutes(10))
    expect(toIspA().filter(({ method }) => method === 'GET')).toHaveLength(gets)
  })

  it('says a request once, however long the link loses it: TCP repeats it', async () => {
    await start()
    siteLink().cut('up')
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(20))
    expect(world.state('web')).toBe('asking')
    siteLink().mend()
    await world.clock.runUntil(() => world.state('web') === 'protected', Seconds(60))
    expect(world.mitigationRequests().filter((text) => text.startsWith('PUT'))).toEqual(['PUT isp-a'])
  })

  it('sends heartbeats both ways, and each is answered', async () => {
    await start()
    await world.advance(Minutes(5))
    expect(heartbeats().length).toBeGreaterThanOrEqual(9)
    const gaps = heartbeats()
      .slice(1)
      .map(({ at }, index) => at - heartbeats()[index]!.at)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(30_000)
    const counters = world.providers['isp-a'].server!.counters
    expect(counters.value('dots_server_heartbeats_sent_total')).toBeGreaterThanOrEqual(8)
    expect(counters.value('dots_server_heartbeat_changes_total', 'unanswered')).toBe(0)
  })

  it('takes a heartbeat without an answer within one interval for a failure, and comes back (RFC 9132 §4.7)', async () => {
    await start()
    await world.advance(Seconds(120))
    siteLink().cut()
    const before = heartbeats().length
    await world.clock.runUntil(() => session() !== 'established tcp', Minutes(5))
    // One that was sent when the link was cut already, and the next interval.
    expect(heartbeats().length - before).toBe(1)
    siteLink().mend()
    await world.clock.runUntil(() => session() === 'established tcp', Minutes(10))
    expect(session()).toBe('established tcp')
  })

  it('keeps a silent session while an attack is on, and goes on with it when the server is heard again [RFC9132-4.7-M06]', async () => {
    await start()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(5))
    siteLink().cut('down')
    await world.clock.runUntil(() => session().startsWith('silent'), Minutes(5))
    expect(session()).toBe('silent tcp')
    siteLink().mend('down')
    await world.clock.runUntil(() => session() === 'established tcp', Minutes(10))
    expect(world.state('web')).toBe('protected')
  })

  it('notices by a reset that the server died, and asks it again for what is wanted', async () => {
    await start()
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.advance(Seconds(100))
    world.providers['isp-a'].host.crash()
    await world.stopServer('isp-a')
    await world.startServer('isp-a', { listen: world.listenOver('isp-a', 'tcp') })
    await world.clock.runUntil(() => session() !== 'established tcp', Minutes(1))
    await world.clock.runUntil(() => session() === 'established tcp', Minutes(2))
    await world.advance(Seconds(5))
    expect(world.state('web')).toBe('protected')
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32'])
  })

  it('gets through a link that loses a third of all packets', async () => {
    siteLink().change({ loss: 0.33 })
    world.startClient({ site: siteOver('tcp') })
    await world.clock.runUntil(() => session() === 'established tcp', Minutes(20))
    world.protect('web', targetOf('198.51.100.7/32'))
    await world.clock.runUntil(() => world.state('web') === 'protected', Minutes(5))
    expect(world.state('web')).toBe('protected')
    siteLink().change({ loss: 0 })
    await world.advance(Milliseconds(100))
  })

  it('falls back from UDP where a middlebox drops it', async () => {
    world.startClient({ site: siteOver('udp', 'tcp') })
    await world.advance(Seconds(5))
    expect(session()).toBe('established tcp')
  })
})
