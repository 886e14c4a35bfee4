import { Seconds } from '@breakwater/core'
import { afterEach, describe, expect, it } from 'vitest'
import { TwoGateways, figure } from '../paths/two-gateways.ts'
import type { TwoGatewaysOptions } from '../paths/two-gateways.ts'

/** One provider declares a pool of `dots1`, the preferred one, `dots2` and `dots3`; one link leads to all. */
let world: TwoGateways

afterEach(async () => {
  expect(world.violations).toEqual([])
  for (const index of [0, 1, 2]) {
    const times = handshakesWith(index)
    // RFC 9132 §4.7, MUST NOT.
    for (const [next, at] of times.slice(1).entries())
      expect(at - times[next]!).toBeGreaterThanOrEqual(60_000)
  }
  await world.close()
})

function pool(options: TwoGatewaysOptions = {}): void {
  world = new TwoGateways({ servers: 3, isPool: true, interfaces: ['wan-1'], ...options })
}

/** When they started. */
function handshakesWith(index: number): number[] {
  return world.handshakes.filter(({ server }) => server === index).map(({ at }) => at)
}

async function settledPool(): Promise<void> {
  pool()
  await world.start()
  await world.pass(Seconds(40))
  expect(states()).toBe('established established stopped')
}

function states(): string {
  return [0, 1, 2].map((index) => world.session(index).state).join(' ')
}

function protecting(): number[] {
  return world.mitigators.map(({ plans }) => plans.size)
}

describe('a pool of three', () => {
  it('has sessions with the one that is asked and the next one; the third is not even contacted', async () => {
    await settledPool()
    world.protect('web')
    await world.pass(Seconds(3600))
    expect(states()).toBe('established established stopped')
    expect(protecting()).toEqual([1, 0, 0])
    expect(handshakesWith(2)).toEqual([])
    expect(world.session(2)).toMatchObject({ standsByFor: 'dots1', text: 'a spare one, without a session' })
  })

  it('connects the third at once when the one that is asked is lost: it stands by for the next one', async () => {
    await settledPool()
    world.protect('web')
    await world.until(() => world.protection('web') === 'protected', 5)
    await world.restart(0)
    const moved = await world.until(() => protecting()[1] === 1, 1)
    await world.until(() => world.session(2).state === 'established', 1)
    figure('server of a pool of three that says goodbye: moved', moved)
    expect(world.session(2).standsByFor).toBe('dots2')
  })

  it('connects the third when the one that stands by is lost', async () => {
    await settledPool()
    world.protect('web')
    world.server(1).cut()
    const took = await world.until(() => world.session(2).state === 'established', 60)
    figure('pool of three: the third stands by after the second was cut', took)
    expect(protecting()).toEqual([1, 0, 0])
  })

  it('takes the preferred one again, and lets the third go when nothing is left there', async () => {
    await settledPool()
    world.protect('web')
    await world.until(() => world.protection('web') === 'protected', 5)
    world.server(0).cut()
    await world.until(() => protecting()[1] === 1, 100)
    await world.until(() => world.session(2).state === 'established', 10)
    world.server(1).cut()
    await world.until(() => protecting()[2] === 1, 150)
    world.server(0).mend()
    world.server(1).mend()
    await world.until(() => protecting().join(' ') === '1 0 0', 900)
    await world.until(() => states() === 'established established stopped', 900)
    expect(world.client.why('dots3').map(({ decision }) => decision)).toEqual(
      expect.arrayContaining(['gets a session', 'is let go'])
    )
    expect(world.protection('web')).toBe('protected')
  })

  it('looks at the third when both others are missing from the start on', async () => {
    pool({ missing: [0, 1] })
    await world.start()
    world.protect('web')
    const took = await world.until(() => world.protection('web') === 'protected', 60)
    figure('pool of three, two missing from the start: protected after', took)
    expect(took).toBeLessThan(5)
    expect(protecting()).toEqual([0, 0, 1])
  })

  it('finds any of them within the retry interval and a handshake when all were missing', async () => {
    await settledPool()
    for (const index of [0, 1, 2]) world.server(index).cut()
    world.protect('web')
    await world.pass(Seconds(1800))
    world.server(2).mend()
    const took = await world.until(() => world.protection('web') === 'protected', 400)
    figure('pool of three, all missing: protected after one was back', took)
    expect(took).toBeLessThan(300 + 2)
  })

  it('never contacts one more often than once a minute while all of them flap', async () => {
    await settledPool()
    world.protect('web')
    for (let flap = 0; flap < 200; flap++) {
      const link = world.server(flap % 3)
      link.cut()
      await world.pass(Seconds(3 + ((flap * 7) % 60)))
      link.mend()
    }
    await world.until(() => protecting().join(' ') === '1 0 0' && states().endsWith('stopped'), 1800)
    expect(states()).toBe('established established stopped')
  })
})
