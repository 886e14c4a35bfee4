import { Minutes, Seconds } from '@breakwater/core'
import { prefix } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ISP_A, ISP_B, DryRun, TwoProviders, targetOf } from './two-providers.ts'

/*
 * The site's own prefix, and an operator who does not want both providers to be asked about it at the same time: a
 * deviation from RFC 9284 §5.2.
 */

const OWN = '203.0.113.7/32'
const SERIAL = { policy: 'serial' } as const

let world: TwoProviders

beforeEach(() => {
  world = new TwoProviders()
})
afterEach(() => world.close())

/** Knows what it assigned, and nothing of the site's own prefix. */
function knowingNothing(isp: 'isp-a' | 'isp-b'): Parameters<TwoProviders['startServer']>[1] {
  const prefixes = [prefix(isp === 'isp-a' ? '198.51.100.0/24' : '100.64.7.0/24')]
  return { domains: [{ name: 'site', dnsNames: [`site.${isp}.example`], pskIdentities: [], prefixes }] }
}

function alarm(id: string): boolean | undefined {
  return world.client.status().protections.find((each) => each.id === id)?.alarm
}

/** `serial 203.0.113.7/32: isp-a, not isp-b` for each time that it was used. */
function deviations(): string[] {
  return world.events.flatMap((event) => {
    if (event.kind !== 'policy-used') return []
    const { policy, servers, others } = event.turn
    return [`${policy}: ${servers.join(' ')}, not ${others.join(' ') || 'nobody'}`]
  })
}

class Incapable extends DryRun {
  override apply(): Promise<void> {
    return Promise.reject(new Error('the attack is larger than the device'))
  }
}

describe('one provider after another', () => {
  it('asks the first only, and says each time that it deviates', async () => {
    await world.start()
    world.protect('own', targetOf(OWN), SERIAL)
    await world.advance(Seconds(5))
    expect(world.state('own')).toBe('protected')
    expect(world.mitigated()).toEqual([`isp-a: ${OWN}`])
    expect(world.mitigationRequests()).not.toContain('PUT isp-b')
    expect(deviations()).toEqual(['serial: isp-a, not isp-b'])
  })

  it('asks all at the same time where nothing else was asked for', async () => {
    await world.start()
    world.protect('own', targetOf(OWN))
    await world.advance(Seconds(5))
    expect(world.mitigated()).toEqual([`isp-a: ${OWN}`, `isp-b: ${OWN}`])
    expect(deviations()).toEqual([])
  })

  it('asks the next one at once when the first refuses', async () => {
    await world.startServer('isp-a', knowingNothing('isp-a'))
    await world.startServer('isp-b')
    world.startClient()
    await world.advance(Seconds(1))
    world.protect('own', targetOf(OWN), SERIAL)
    await world.advance(Seconds(1))
    expect(world.state('own')).toBe('protected')
    expect(world.mitigated()).toEqual([`isp-b: ${OWN}`])
    await world.advance(Minutes(10))
    expect(world.mitigationRequests().filter((each) => each === 'PUT isp-a')).toHaveLength(1)
  })

  it('asks the next one when the session is lost, and does not change back', async () => {
    await world.start()
    world.protect('own', targetOf(OWN), SERIAL)
    await world.advance(Seconds(5))
    world.siteHost.link('wan-a').cut()
    await world.advance(Minutes(8))
    expect(world.mitigated()).toContain(`isp-b: ${OWN}`)
    expect(world.state('own')).toBe('protected')
    world.siteHost.link('wan-a').mend()
    await world.advance(Minutes(15))
    // The provider of before hears that it is over as soon as it can hear anything.
    expect(world.mitigated()).toEqual([`isp-b: ${OWN}`])
    expect(world.state('own')).toBe('protected')
  })

  it('asks the next one when the first ends it while the attack is on', async () => {
    await world.start()
    world.protect('own', targetOf(OWN), SERIAL)
    await world.advance(Seconds(5))
    await world.stopServer('isp-a')
    await world.startServer('isp-a', knowingNothing('isp-a'))
    await world.advance(Minutes(10))
    expect(world.mitigated()).toEqual([`isp-b: ${OWN}`])
    expect(world.state('own')).toBe('protected')
  })

  it('asks the next one beside a first for which the attack is too much', async () => {
    await world.startServer('isp-a', { mitigator: new Incapable() })
    await world.startServer('isp-b')
    world.startClient()
    await world.advance(Seconds(1))
    world.protect('own', targetOf(OWN), SERIAL)
    await world.advance(Minutes(5))
    expect(world.mitigated()).toEqual([`isp-b: ${OWN}`])
    const asked = world.client.status().requests.map(({ server, state }) => `${server} ${state}`)
    expect(asked).toEqual(['isp-a in-force', 'isp-b in-force'])
    expect(deviations().at(-1)).toBe('serial: isp-a isp-b, not nobody')
  })

  it('is refused with an alarm when all have refused', async () => {
    await world.startServer('isp-a', knowingNothing('isp-a'))
    await world.startServer('isp-b', knowingNothing('isp-b'))
    world.startClient()
    await world.advance(Seconds(1))
    world.protect('own', targetOf(OWN), SERIAL)
    await world.advance(Seconds(5))
    expect(world.state('own')).toBe('refused')
    expect(alarm('own')).toBe(true)
    await world.advance(Minutes(30))
    // One for each turn, and one more of the first when nobody was left.
    expect(world.mitigationRequests().filter((each) => each.startsWith('PUT'))).toHaveLength(3)
  })

  it('waits at all of them while there is no session, and asks the first one that is there', async () => {
    world.startClient()
    world.protect('own', targetOf(OWN), SERIAL)
    await world.advance(Seconds(5))
    expect(world.state('own')).toBe('waiting')
    expect(alarm('own')).toBe(true)
    await world.startServer('isp-b')
    await world.advance(Minutes(6))
    expect(world.state('own')).toBe('protected')
    await world.startServer('isp-a')
    await world.advance(Minutes(6))
    expect(world.mitigated()).toEqual([`isp-b: ${OWN}`])
    expect(world.mitigationRequests()).not.toContain('PUT isp-a')
  })

  it('withdraws everywhere when it is released, also where its turn is over', async () => {
    await world.start()
    world.protect('own', targetOf(OWN), SERIAL)
    await world.advance(Seconds(5))
    world.siteHost.link('wan-a').cut()
    await world.advance(Minutes(8))
    world.release('own')
    world.siteHost.link('wan-a').mend()
    await world.advance(Minutes(15))
    expect(world.mitigated()).toEqual([])
    expect(world.client.status().requests).toEqual([])
    expect(world.state('own')).toBeUndefined()
  })

  it('leaves what another protection wants of a provider whose turn is over', async () => {
    await world.startServer('isp-a', { mitigator: new Incapable() })
    await world.startServer('isp-b')
    world.startClient()
    await world.advance(Seconds(1))
    world.protect('everywhere', targetOf('203.0.113.0/28'))
    world.protect('own', targetOf(OWN), SERIAL)
    await world.advance(Minutes(5))
    world.release('own')
    await world.advance(Minutes(5))
    expect(world.client.status().requests.map(({ protections }) => protections)).toEqual([
      ['everywhere'],
      ['everywhere']
    ])
  })
})

describe('each prefix at one provider', () => {
  const MANY = Array.from({ length: 8 }, (_, index) => `203.0.113.${index * 9}/32`)
  const DIVIDE = { policy: 'divide' } as const

  it('asks both, each for its own, and the one that is left for all', async () => {
    await world.start()
    world.protect('own', targetOf(...MANY), DIVIDE)
    await world.advance(Seconds(5))
    expect(world.state('own')).toBe('protected')
    const both = world.mitigated()
    expect(both.map((each) => each.split(':')[0])).toEqual([ISP_A, ISP_B])
    const divided = both.flatMap((each) => each.split(': ')[1]?.split(' ') ?? [])
    expect(divided.toSorted()).toEqual(MANY.toSorted())
    world.siteHost.link('wan-a').cut()
    await world.advance(Minutes(8))
    const left = world.mitigated().filter((each) => each.startsWith(ISP_B))
    expect(left.flatMap((each) => each.split(': ')[1]?.split(' ') ?? []).toSorted()).toEqual(MANY.toSorted())
    expect(world.state('own')).toBe('protected')
  })
})
