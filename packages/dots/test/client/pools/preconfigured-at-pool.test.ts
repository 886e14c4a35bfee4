import { Seconds } from '@breakwater/core'
import { afterEach, describe, expect, it } from 'vitest'
import { TwoGateways, figure } from '../paths/two-gateways.ts'

/** A pool of `dots1`, the preferred one, and `dots2`, with a preconfigured request; one link leads to both. */
let world: TwoGateways

const NET = '198.51.100.0/28'

afterEach(async () => {
  expect(world.violations).toEqual([])
  await world.close()
})

async function pool(): Promise<void> {
  world = new TwoGateways({ servers: 2, isPool: true, interfaces: ['wan-1'], preconfigured: [NET] })
  await world.start()
  await world.pass(Seconds(40))
  expect(standing()).toEqual(['dots1 in-force'])
}

/** Where the preconfigured request stands, as the client knows. */
function standing(): string[] {
  const { requests } = world.client.status()
  return requests
    .filter(({ trigger }) => trigger === 'signal-loss')
    .map(({ server, state }) => `${server} ${state}`)
}

/** What each of the two mitigates. */
function mitigating(): number[] {
  return world.mitigators.map(({ plans }) => plans.size)
}

/** Looks every so many seconds. */
async function every(seconds: number, condition: () => boolean, limitSeconds: number): Promise<void> {
  for (let passed = 0; !condition(); passed += seconds) {
    if (passed > limitSeconds) throw new Error(`not within ${limitSeconds} s: ${standing().join(', ')}`)
    await world.pass(Seconds(seconds))
  }
}

describe('what is preconfigured, at servers that stand in for one another', () => {
  it('stands by at the one that is asked, and with that one alone', async () => {
    await pool()
    await world.restart(0)
    const moved = await world.until(() => standing().includes('dots2 in-force'), 5)
    figure('preconfigured request at the next server of a pool after a goodbye', moved)
    await every(10, () => standing().join() === 'dots2 in-force', 700)
    expect(mitigating()).toEqual([0, 0])
  })

  it('is taken back to the preferred one, and not lost in between', async () => {
    await pool()
    await world.restart(0)
    await world.until(() => standing().includes('dots2 in-force'), 5)
    let without = 0
    await every(
      1,
      () => {
        if (!standing().some((each) => each.endsWith('in-force') || each.endsWith('refreshing'))) without++
        return standing().join() === 'dots1 in-force'
      },
      1500
    )
    expect(without).toBe(0)
  })

  it('cuts what is asked for at its border where it stands now', async () => {
    await pool()
    await world.restart(0)
    await every(10, () => standing().join() === 'dots2 in-force', 700)
    world.protect('wide', '198.51.100.2/32')
    await world.until(() => world.protection('wide') === 'protected', 5)
    expect(mitigating().reduce((sum, each) => sum + each, 0)).toBe(1)
  })

  it('stays where it has come into force until the attack is over, though another one is asked now', async () => {
    await pool()
    world.server(0).cut()
    await every(1, () => standing().includes('dots2 in-force'), 600)
    // RFC 9132 §4.7: the server has heard nothing for as long as it waits.
    await every(1, () => mitigating()[0] === 1, 900)
    world.server(0).mend()
    await every(1, () => world.session(0).state === 'established', 600)
    const since = world.clock.now()
    await world.pass(Seconds(100))
    expect(mitigating()).toEqual([1, 0])
    expect(standing().toSorted()[0]).toMatch(/^dots1 (in-force|refreshing)$/)
    expect(world.sent.filter(({ at, method }) => at > since && method === 'DELETE')).toEqual([])
  })
})
