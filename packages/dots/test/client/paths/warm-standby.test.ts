import { Milliseconds, Seconds } from '@breakwater/core'
import { afterEach, describe, expect, it } from 'vitest'
import { ROUND_TRIP, TwoGateways, figure } from './two-gateways.ts'
import type { TwoGatewaysOptions } from './two-gateways.ts'

let world: TwoGateways

afterEach(async () => {
  expect(world.violations).toEqual([])
  await world.close()
})

/** With a session on the first link and one that stands by on the second. */
async function warm(options: TwoGatewaysOptions = {}): Promise<TwoGateways> {
  world = new TwoGateways(options)
  await world.start({ warmStandby: 'apart' })
  await world.until(() => world.session().standBy !== undefined, 65)
  // Long enough for both to know their round trips.
  await world.pass(Seconds(35))
  expect(world.text()).toBe('established wan-1, warm wan-2')
  return world
}

describe('a session that stands by', () => {
  it('is established a minute after the first, and carries nothing but heartbeats', async () => {
    world = new TwoGateways()
    await world.start({ warmStandby: 'apart' })
    expect(world.text()).toBe('established wan-1')
    const took = await world.until(() => world.session().standBy !== undefined, 65)
    expect(took).toBeGreaterThanOrEqual(58)
    const since = world.clock.now()
    await world.pass(Seconds(300))
    const second = world.sent.filter(({ at, interface: via }) => at > since && via === 'wan-2')
    expect(second.length).toBeGreaterThan(5)
    expect(second.filter(({ path }) => !path.endsWith('/hb'))).toEqual([])
    const paths = world.client
      .paths()
      .paths.map(({ path, use, state }) => `${path.interface} ${use} ${state}`)
    expect(paths.filter((text) => !text.includes('unused'))).toEqual([
      'wan-1 session up',
      'wan-2 stand-by up'
    ])
  })

  it('is not kept where nobody asked for it, nor where there is one path only', async () => {
    world = new TwoGateways()
    await world.start()
    await world.pass(Seconds(300))
    expect(world.text()).toBe('established wan-1')
    await world.close()
    world = new TwoGateways({ interfaces: ['wan-1'] })
    await world.start({ warmStandby: 'any' })
    await world.pass(Seconds(300))
    expect(world.text()).toBe('established wan-1')
  })

  it('is asked over when the first link is cut silently and a request gets no answer', async () => {
    await warm()
    world.site.link('wan-1').cut()
    const since = world.clock.now()
    world.protect('web')
    await world.until(() => world.asked('wan-2', since).length > 0, 5)
    const [first] = world.asked('wan-1', since)
    const moved = (world.clock.now() - (first?.at ?? 0)) / 1000
    figure('silent cut, round trip known: request moved after the first unanswered one', moved)
    expect(moved).toBeLessThan(4)
    expect(moved).toBe(0.5)
    const took = await world.until(() => world.protection('web') === 'protected', 5)
    expect(took * 1000).toBeLessThanOrEqual(ROUND_TRIP + 1)
    expect(world.mitigators[0]?.plans.size).toBe(1)
  })

  it('hears of the mitigation when the first link stays dead during the attack, and the first session is kept', async () => {
    await warm()
    world.site.link('wan-1').cut()
    world.protect('web')
    await world.until(() => world.text() === 'established wan-1, joined wan-2', 60)
    await world.pass(Seconds(600))
    expect(world.text()).toBe('established wan-1, joined wan-2')
    expect(world.protection('web')).toBe('protected')
    world.release('web')
    await world.until(() => world.protection('web') === undefined, 60)
    await world.until(() => world.text().startsWith('established wan-2'), 120)
    expect(world.mitigators[0]?.plans.size).toBeLessThanOrEqual(1)
  })

  it('is there for whatever is asked within a heartbeat interval and a second when the first link dies in peace', async () => {
    let longest = 0
    for (const [index, seed] of [1, 2, 3, 4, 5, 6, 7, 8].entries()) {
      if (index > 0) await world.close()
      await warm({ seed })
      await world.pass(Seconds(4 * index))
      world.site.link('wan-1').cut()
      longest = Math.max(longest, await world.until(() => world.session().standBy?.mode !== 'warm', 60))
      const since = world.clock.now()
      world.protect('web')
      await world.until(() => world.asked('wan-2', since).length > 0, 5)
      const took = await world.until(() => world.protection('web') === 'protected', 10)
      expect(took).toBeLessThan(4)
    }
    figure('silent cut, idle: until everything goes over the second path, longest of eight', longest)
    expect(longest).toBeLessThanOrEqual(34)
  })

  it('takes the place of the first in peace when that is down, and gives it back when it was good for two minutes', async () => {
    await warm()
    world.site.link('wan-1').cut()
    const left = await world.until(() => world.text().startsWith('established wan-2'), 180)
    figure('silent cut, idle: until the first path is left for good', left)
    expect(world.text()).toBe('established wan-2, warm wan-1')
    world.site.link('wan-1').mend()
    const back = await world.until(() => world.text() === 'established wan-1, warm wan-2', 400)
    expect(back).toBeGreaterThanOrEqual(60)
  })

  it('takes over within 100 ms when the carrier is lost, as the kernel says', async () => {
    await warm()
    world.site.link('wan-1').cut()
    world.client.reportLink('wan-1', false)
    const took = await world.until(() => world.text().startsWith('established wan-2'), 1)
    figure('signalled link loss: moved', took)
    expect(took).toBeLessThan(0.1)
    const since = world.clock.now()
    world.protect('web')
    await world.until(() => world.protection('web') === 'protected', 1)
    expect(world.asked('wan-1', since)).toEqual([])
  })

  it('is as if nothing had been after a thousand flaps', async () => {
    await warm()
    world.protect('web')
    await world.pass(Seconds(5))
    const calm = [world.text(), world.protection('web')]
    const connects = world.sent.length
    for (let flap = 0; flap < 1000; flap++) {
      world.site.link('wan-1').cut()
      if (flap % 2 === 0) world.client.reportLink('wan-1', false)
      await world.pass(Milliseconds(700 + (flap % 7) * 300))
      world.site.link('wan-1').mend()
      world.client.reportLink('wan-1', true)
      await world.pass(Milliseconds(700 + (flap % 5) * 400))
    }
    expect(world.sent.length).toBeGreaterThan(connects)
    await world.pass(Seconds(400))
    expect([world.text(), world.protection('web')]).toEqual(calm)
    expect(world.mitigators[0]?.plans.size).toBe(1)
  })

  it('changes over at most once in a minute, however links flap in peace', async () => {
    await warm()
    let switches = 0
    let path = world.session().path?.interface
    const start = world.clock.now()
    for (let flap = 0; flap < 300; flap++) {
      const name = flap % 2 === 0 ? 'wan-1' : 'wan-2'
      world.client.reportLink(name, false)
      await world.pass(Milliseconds(1500))
      world.client.reportLink(name, true)
      await world.pass(Milliseconds(500))
      const now = world.session().path?.interface
      if (now !== path) switches++
      path = now
    }
    expect(switches).toBeGreaterThan(0)
    expect(switches).toBeLessThanOrEqual((world.clock.now() - start) / 60_000 + 1)
  })

  it('carries requests when only our direction is lost', async () => {
    await warm()
    world.site.link('wan-1').cut('up')
    await world.pass(Seconds(95))
    const [first] = world.client.paths().paths
    expect(first).toMatchObject({
      inward: expect.stringMatching(/up|suspect|down/),
      condition: 'outbound-broken'
    })
    const since = world.clock.now()
    world.protect('web')
    await world.until(() => world.protection('web') === 'protected', 4)
    expect(world.asked('wan-2', since).length).toBeGreaterThan(0)
  })

  it('tells a link that is full inbound from one that is dead', async () => {
    await warm()
    world.protect('web')
    await world.pass(Seconds(2))
    // Nearly everything that comes to us is lost; what we send arrives.
    world.site.link('wan-1').down.change({ loss: 0.6 })
    const seen = new Set<string | undefined>()
    for (let second = 0; second < 600; second++) {
      await world.pass(Seconds(1))
      seen.add(world.client.paths().paths[0]?.condition)
    }
    expect(seen).toContain('inbound-full')
    world.site.link('wan-1').down.change({ loss: 0 })
    await world.pass(Seconds(100))
    world.site.link('wan-1').cut()
    await world.pass(Seconds(100))
    expect(world.client.paths().paths[0]?.condition).toBe('dead')
  })

  it('ends with the first when the server restarts, and both come back', async () => {
    await warm()
    world.protect('web')
    await world.pass(Seconds(2))
    await world.restart(0)
    // The server says goodbye over both.
    await world.pass(Milliseconds(100))
    expect(world.session().state).toBe('pausing')
    await world.until(() => world.session().state === 'established', 70)
    await world.until(() => world.protection('web') === 'protected', 10)
    await world.until(() => world.text() === 'established wan-1, warm wan-2', 400)
  })
})

describe('UDP and TCP by one path', () => {
  it('stand by for each other where that was asked for', async () => {
    world = new TwoGateways({ transports: ['udp', 'tcp'], interfaces: ['wan-1'] })
    await world.start({ warmStandby: 'any' })
    await world.until(() => world.session().standBy !== undefined, 65)
    await world.pass(Seconds(35))
    const way = (): string => `${world.session().path?.transport}, ${world.session().standBy?.path.transport}`
    expect(way()).toBe('udp, tcp')
    const unblock = world.network.block(({ transport }) => transport === 'udp')
    world.protect('web')
    const took = await world.until(() => world.protection('web') === 'protected', 5)
    figure('UDP blocked, TCP stands by: protected', took)
    expect(took).toBeLessThan(4)
    world.release('web')
    await world.until(() => way().startsWith('tcp'), 300)
    unblock()
    const back = await world.until(() => way() === 'udp, tcp', 900)
    expect(back).toBeGreaterThan(0)
  })
})
