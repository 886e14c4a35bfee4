import { Milliseconds, Seconds, formatIpAddress } from '@breakwater/core'
import { prefix } from '@breakwater/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { TwoGateways, figure } from '../paths/two-gateways.ts'
import type { TwoGatewaysOptions } from '../paths/two-gateways.ts'

/** One provider declares a pool: `dots1`, the preferred one, and `dots2`; one link leads to both. */
let world: TwoGateways

afterEach(async () => {
  expect(world.violations).toEqual([])
  await world.close()
})

/** Long enough for both to know their round trips. */
async function pool(options: TwoGatewaysOptions = {}): Promise<void> {
  world = new TwoGateways({ servers: 2, isPool: true, interfaces: ['wan-1'], ...options })
  await world.start()
  await world.pass(Seconds(40))
  expect([world.session(0).state, world.session(1).state]).toEqual(['established', 'established'])
}

/** What each of the two protects. */
function protecting(): number[] {
  return world.mitigators.map(({ plans }) => plans.size)
}

/** Which servers were asked since then, by their addresses. */
function asked(since: number): string[] {
  return [...new Set(world.asked('wan-1', since).map(({ remote }) => formatIpAddress(remote.address)))]
}

describe('servers that stand in for one another', () => {
  it('have a session each, and the preferred one alone is asked', async () => {
    await pool()
    world.protect('web')
    await world.until(() => world.protection('web') === 'protected', 5)
    await world.pass(Seconds(120))
    expect(protecting()).toEqual([1, 0])
    expect(asked(0)).toEqual(['192.0.2.1'])
    expect([world.session(0).standsByFor, world.session(1).standsByFor]).toEqual([undefined, 'dots1'])
    const used = world.client.paths().paths.filter(({ use }) => use !== 'unused')
    expect(used.map(({ server, use }) => `${server} ${use}`)).toEqual(['dots1 session', 'dots2 stand-by'])
  })

  it('are asked over within four seconds when the preferred one leaves a request without an answer', async () => {
    await pool()
    world.server(0).cut()
    const since = world.clock.now()
    world.protect('web')
    await world.until(() => asked(since).includes('192.0.2.2'), 10)
    const moved = (world.clock.now() - since) / 1000
    figure('silent server of a pool: request moved after it was asked', moved)
    expect(moved).toBeLessThan(4.5)
    await world.until(() => world.protection('web') === 'protected', 1)
    expect(protecting()).toEqual([0, 1])
    const why = world.client.why('dots1').at(-1)
    expect(why).toMatchObject({ decision: 'dots2 is asked in its stead', because: 'a request got no answer' })
  })

  it('move what is in force, and the preferred one is taken again when it was good for two minutes', async () => {
    await pool()
    world.protect('web')
    await world.until(() => world.protection('web') === 'protected', 5)
    world.server(0).cut()
    figure(
      'silent server of a pool: what is in force moved',
      await world.until(() => protecting()[1] === 1, 100)
    )
    world.server(0).mend()
    const back = await world.until(() => chosen() === 'dots1', 400)
    figure('silent server of a pool: taken again after', back)
    expect(back).toBeGreaterThanOrEqual(60)
    expect(back).toBeLessThan(150)
    await world.until(() => protecting()[0] === 1 && protecting()[1] === 0, 200)
    expect(world.protection('web')).toBe('protected')
  })

  it('are never without protection while it moves back', async () => {
    await pool()
    world.protect('web')
    world.server(0).cut()
    await world.until(() => protecting()[1] === 1, 100)
    world.server(0).mend()
    let without = 0
    await world.until(() => {
      if (Math.max(...protecting()) === 0) without++
      return protecting()[0] === 1 && protecting()[1] === 0
    }, 600)
    expect(without).toBe(0)
  })

  it('are not asked both, to find out: a heartbeat says whether the other one is there', async () => {
    await pool()
    world.server(0).cut()
    world.server(1).cut()
    const since = world.clock.now()
    world.protect('web')
    await world.pass(Seconds(60))
    expect(asked(since)).toEqual(['192.0.2.1'])
    expect(world.protection('web')).toBe('asking')
    world.server(1).mend()
    await world.until(() => world.protection('web') === 'protected', 60)
    expect(protecting()).toEqual([0, 1])
  })

  it('stand in at once when the preferred one says goodbye, for there is no handshake with it for a while', async () => {
    await pool()
    world.protect('web')
    await world.until(() => world.protection('web') === 'protected', 5)
    await world.restart(0)
    const moved = await world.until(() => protecting()[1] === 1, 1)
    figure('server of a pool that says goodbye: moved', moved)
    expect(moved).toBeLessThan(0.2)
  })

  it.each([1, 5, 11, 17, 23, 29])(
    'move what is in force within a heartbeat and four seconds when the preferred one falls silent in peace (%i s after one)',
    async (seconds) => {
      await pool()
      world.protect('web')
      await world.until(() => world.protection('web') === 'protected', 5)
      await heartbeat()
      await world.pass(Seconds(seconds))
      world.server(0).cut()
      const since = world.clock.now()
      await heartbeat()
      const untilHeartbeat = (world.clock.now() - since) / 1000
      const took = untilHeartbeat + (await world.until(() => protecting()[1] === 1, 10))
      figure(
        `silent in peace ${seconds} s after a heartbeat, next one after ${untilHeartbeat} s: in force moved`,
        took
      )
      expect(took - untilHeartbeat).toBeLessThan(4)
      expect(took).toBeLessThan(33 + 4)
    }
  )

  it('are chosen anew within a heartbeat and four seconds when the preferred one falls silent and nothing is asked', async () => {
    await pool()
    await heartbeat()
    await world.pass(Seconds(1))
    world.server(0).cut()
    const since = world.clock.now()
    await heartbeat()
    const untilHeartbeat = (world.clock.now() - since) / 1000
    const took = untilHeartbeat + (await world.until(() => chosen() === 'dots2', 10))
    figure(`silent and idle, next heartbeat after ${untilHeartbeat} s: another one chosen`, took)
    expect(took - untilHeartbeat).toBeLessThan(4)
    world.protect('web')
    await world.until(() => world.protection('web') === 'protected', 1)
    expect(protecting()).toEqual([0, 1])
  })

  it('do not move because of a single heartbeat that is lost, where a refresh is answered', async () => {
    await pool()
    world.protect('web')
    await world.until(() => world.protection('web') === 'protected', 5)
    const [mitigation] = [...world.mitigators[0]!.plans.keys()]
    for (let time = 0; time < 10; time++) {
      await heartbeat()
      world.server(0).cut()
      await world.pass(Milliseconds(300))
      world.server(0).mend()
      const since = world.clock.now()
      await world.pass(Seconds(3))
      expect(asked(since)).toEqual(['192.0.2.1'])
    }
    expect(standIns()).toBe(0)
    expect([...world.mitigators[0]!.plans.keys()]).toEqual([mitigation])
  })

  it('move once at most in a minute, and flapping ends as if nothing had been', async () => {
    await pool()
    world.protect('web')
    await world.until(() => world.protection('web') === 'protected', 5)
    const since = world.clock.now()
    const times: number[] = []
    let at = 0
    for (let flap = 0; flap < 200; flap++) {
      const link = world.server(flap % 2)
      link.cut()
      await world.pass(Seconds(3 + (flap % 9)))
      link.mend()
      await world.pass(Milliseconds(500 * (flap % 5)))
      const now = standIns()
      if (now > at) times.push(world.clock.now())
      at = now
    }
    const minutes = (world.clock.now() - since) / 60_000
    expect(at).toBeLessThanOrEqual(minutes + 1)
    await world.until(() => protecting()[0] === 1 && protecting()[1] === 0, 600)
    await world.pass(Seconds(60))
    expect(protecting()).toEqual([1, 0])
    expect([world.session(0).state, world.session(1).state]).toEqual(['established', 'established'])
  })
})

/** Until the next heartbeat leaves for the preferred one. */
async function heartbeat(): Promise<void> {
  const count = (): number =>
    world.sent.filter(
      ({ path, remote }) => path.endsWith('/hb') && formatIpAddress(remote.address) === '192.0.2.1'
    ).length
  const before = count()
  await world.until(() => count() > before, 40)
}

/** Who is asked, as the plan says. */
function chosen(): string | undefined {
  const address = { prefixes: [prefix('198.51.100.2/32')], ports: [], protocols: [] }
  return world.client.plan(address).parts[0]?.asked[0]?.server
}

/** How often another one was chosen. */
function standIns(): number {
  return ['dots1', 'dots2']
    .flatMap((server) => world.client.why(server))
    .filter(({ decision }) => decision.endsWith('in its stead')).length
}
