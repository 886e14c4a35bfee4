import { Minutes, Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { ProtectionId } from '../../../src/domain/identifier.ts'
import type { ProvisioningDomain, Site } from '../../../src/domain/site.ts'
import { domain, net, server, target } from '../../multihoming/sites.ts'
import { PlayedSite } from './played-site.ts'

/*
 *   isp-a 192.0.2.1   isp-b 192.0.2.2        the client is killed, and when it starts again
 *             wan-a |   | wan-b              its site is another one
 *                  [ site ]
 */
function provider(name: string, end: number, prefixes: readonly string[]): ProvisioningDomain {
  return domain(name, {
    prefixes,
    sources: [`192.0.2.${100 + end}`],
    interfaces: [`wan-${end}`],
    servers: [{ ...server(name, `192.0.2.${end}`), transports: ['udp'] }]
  })
}

function siteOf(a: readonly string[], b: readonly string[] | undefined): Site {
  const others = b === undefined ? [] : [provider('isp-b', 2, b)]
  return {
    domains: [provider('isp-a', 1, a), ...others],
    providerIndependent: [{ prefix: net('203.0.113.0/28') }]
  }
}

const [LEFT, RIGHT] = ['198.51.100.0/28', '198.51.100.16/28']
const BOTH = target('198.51.100.7/32', '198.51.100.23/32')

/** The site changes in either of two ways: while the client runs, or while it does not. */
const ways = [
  ['running', (world: PlayedSite, site: Site) => world.change(site)],
  ['killed', (world: PlayedSite, site: Site) => world.restart(site)]
] as const

function start(site: Site): PlayedSite {
  const world = new PlayedSite(site)
  world.pass(Minutes(2))
  return world
}

describe.each(ways)('a client that is %s while its site changes', (_way, change) => {
  it('keeps what is still the site’s of a protection that allows no parts, and raises an alarm for the rest', () => {
    const world = start(siteOf([LEFT], [RIGHT]))
    world.protect('both', BOTH)
    world.pass(Seconds(1))
    change(world, siteOf([LEFT], []))
    world.pass(Minutes(2))
    const status = world.client.protection(ProtectionId('both'))
    expect(status).toMatchObject({ state: 'partly-protected', alarm: true })
    expect(status?.missing).toMatchObject([{ kind: 'foreign' }])
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32'])
    change(world, siteOf([LEFT], [RIGHT]))
    world.pass(Minutes(2))
    expect(world.state('both')).toBe('protected')
    expect(world.wrong).toEqual([])
  })

  it('does so also where nobody has answered yet', () => {
    const world = start(siteOf([LEFT], [RIGHT]))
    for (const name of ['isp-a', 'isp-b']) world.deaf.add(name)
    world.protect('both', BOTH)
    world.pass(Seconds(10))
    change(world, siteOf([LEFT], []))
    world.pass(Minutes(2))
    expect(world.client.protection(ProtectionId('both'))).toMatchObject({ state: 'asking', alarm: true })
    world.deaf.clear()
    world.pass(Minutes(6))
    expect(world.mitigated()).toEqual(['isp-a: 198.51.100.7/32'])
    expect(world.wrong).toEqual([])
  })

  it('names nothing to a server that is not its own any more, not even in a refresh of what stands', () => {
    const world = start(siteOf([LEFT, RIGHT], []))
    world.protect('both', BOTH, { lifetime: 600 })
    world.pass(Seconds(1))
    world.deaf.add('isp-a')
    change(world, siteOf([RIGHT], [LEFT]))
    world.pass(Minutes(20))
    world.deaf.clear()
    world.pass(Minutes(10))
    expect(world.wrong).toEqual([])
    expect(world.mitigated().toSorted()).toEqual(['isp-a: 198.51.100.23/32', 'isp-b: 198.51.100.7/32'])
  })

  it('asks the new server before the old one lets go', () => {
    const world = start(siteOf([LEFT, RIGHT], []))
    world.protect('both', BOTH)
    world.pass(Seconds(1))
    world.mute.add('isp-b')
    change(world, siteOf([RIGHT], [LEFT]))
    world.pass(Seconds(10))
    expect(world.covers('isp-a', BOTH)).toBe(true)
    world.mute.clear()
    world.pass(Minutes(2))
    expect(world.mitigated().toSorted()).toEqual(['isp-a: 198.51.100.23/32', 'isp-b: 198.51.100.7/32'])
    expect(world.wrong).toEqual([])
  })
})
