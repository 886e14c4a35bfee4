import { Milliseconds, Seconds, formatIpAddress } from '@breakwater/core'
import { SimulatedNextHops, address } from '@breakwater/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { NextHop, NextHops } from '../../../src/domain/next-hops.ts'
import { SOURCES, TwoGateways } from './two-gateways.ts'

let world: TwoGateways

afterEach(() => world.close())

/** The first two sources lead by gateway 1, the last one by gateway 2; all by one interface. */
function gatewaysBySource(): SimulatedNextHops {
  const hops = new SimulatedNextHops()
  for (const [index, source] of SOURCES.entries()) hops.route(address(source), gateway(index < 2 ? 1 : 2))
  return hops
}

function gateway(number: 1 | 2): NextHop {
  return { address: address(`198.51.100.${number === 1 ? 14 : 30}`), interface: 'lan' }
}

/** Where the session with a server is, by its source. */
function sourceOf(index: number): string | undefined {
  return world.session(index).path?.source
}

/** The third server restarts while what goes by gateway 1 is lost. @returns how long the run for its session took, in ms. */
async function thirdAfterRestart(nextHops?: NextHops, isCut = true): Promise<number> {
  world = new TwoGateways({ servers: 3, isOneLink: true })
  await world.start(nextHops === undefined ? {} : { nextHops })
  expect([0, 1, 2].map(sourceOf)).toEqual(Array(3).fill(SOURCES[0]))
  if (isCut) world.gateways.uplink('gateway-1').link.cut('up')
  await world.restart(2)
  await world.pass(Milliseconds(100))
  await world.pass(Seconds(world.session(2).retryInSeconds ?? 0))
  return (await world.until(() => world.session(2).state === 'established')) * 1000
}

describe('two gateways on one interface', () => {
  it('have a score each: when two servers fail by the first, a third session starts by the second with no outage', async () => {
    const calm = await thirdAfterRestart(gatewaysBySource(), false)
    await world.close()
    const took = await thirdAfterRestart(gatewaysBySource())
    expect(sourceOf(2)).toBe(SOURCES[2])
    expect(took - calm).toBe(0)
    const [, second, third] = world.client.paths().paths.filter(({ server }) => server === 'dots2')
    expect(second).toMatchObject({
      nextHop: '198.51.100.14 on lan',
      inheritedFrom: 'via 198.51.100.14 on lan',
      state: 'suspect'
    })
    expect(third).toMatchObject({ nextHop: '198.51.100.30 on lan' })
    expect(third?.inheritedFrom).not.toBe('via 198.51.100.14 on lan')
  })

  it('are one, where nobody knows by which of them a path leads: the third session comes later', async () => {
    const calm = await thirdAfterRestart(undefined, false)
    await world.close()
    const took = await thirdAfterRestart()
    expect(took - calm).toBeGreaterThan(0)
    expect(world.client.paths().paths.map(({ nextHop }) => nextHop)).not.toContain('198.51.100.14 on lan')
  })

  it('make no path and take none away, whatever is said of them', async () => {
    const legal = async (nextHops?: NextHops): Promise<unknown> => {
      world = new TwoGateways({ isOneLink: true })
      await world.start(nextHops === undefined ? {} : { nextHops })
      return world.client.paths().paths.map(({ path }) => path)
    }
    const before = await legal()
    await world.close()
    const strange = { address: address('203.0.113.1'), interface: 'elsewhere' }
    expect(await legal({ of: () => Promise.resolve(strange) })).toEqual(before)
    expect(world.client.paths().paths[0]?.nextHop).toBe('203.0.113.1 on elsewhere')
  })
})

describe('a client that asks for next hops', () => {
  it('notices within a minute that another router leads on, and asks no more when it is closed', async () => {
    const hops = gatewaysBySource()
    let questions = 0
    world = new TwoGateways({ isOneLink: true })
    const nextHops: NextHops = {
      of: (question) => {
        questions++
        return hops.of(question)
      }
    }
    await world.start({ nextHops })
    const shown = (): string | undefined => world.client.paths().paths[0]?.nextHop
    expect(shown()).toBe('198.51.100.14 on lan')
    // One for each source, and no more than that.
    expect(questions).toBe(SOURCES.length)
    hops.route(address(SOURCES[0]), gateway(2))
    await world.pass(Seconds(60))
    expect(shown()).toBe('198.51.100.30 on lan')
    await world.close()
    const asked = questions
    await world.pass(Seconds(180))
    expect(questions).toBe(asked)
  })

  it('asks at once when the site or a carrier has changed, and once more where that was while it asked', async () => {
    const asked: string[] = []
    let answer: (() => void) | undefined
    world = new TwoGateways({ isOneLink: true })
    const nextHops: NextHops = {
      of: ({ source }) => {
        asked.push(formatIpAddress(source))
        return new Promise((resolve) => (answer = () => resolve(undefined)))
      }
    }
    await world.start({ nextHops })
    expect(asked).toEqual([SOURCES[0]])
    world.client.reportLink('lan', true)
    world.client.reportLink('lan', true)
    for (let each = 0; each < 12; each++) {
      answer?.()
      await world.pass(Milliseconds(1))
    }
    expect(asked).toEqual([...SOURCES, ...SOURCES])
  })
})
