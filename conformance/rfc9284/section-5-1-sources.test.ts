import { Milliseconds, Seconds, formatIpAddress } from '@breakwater/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LocalAddress } from '../../packages/dots/src/domain/local-address.ts'
import type { Site } from '../../packages/dots/src/domain/site.ts'
import { EyeballsWorld } from '../../packages/dots/test/client/eyeballs-world.ts'
import { own } from '../../packages/dots/test/multihoming/selection-host.ts'
import { domain } from '../../packages/dots/test/multihoming/sites.ts'

/*
 * RFC 9284 §5.1: the source that a session leaves from, as it is seen on the wire. The site has one link, on which two
 * providers assigned addresses: isp-a, whose server is at 2001:db8:ffff::1 and 192.0.2.1, and isp-b.
 */

const MORE = ['2001:db8:a:1::7', '2001:db8:a:2::7', '2001:db8:b::1']
const OF_ISP_B = '2001:db8:b::1'

let world: EyeballsWorld

beforeEach(() => {
  world = new EyeballsWorld(Milliseconds(5), 1, MORE)
})

afterEach(() => world.close())

function on(text: string, about: Partial<LocalAddress> = {}): LocalAddress {
  return own(text, { interface: { name: 'wan-a' }, ...about })
}

/** No sources are configured: the system says which addresses there are. */
function siteWith(localAddresses: readonly LocalAddress[]): Site {
  const [a] = EyeballsWorld.plainSite.domains
  const [dots] = a!.servers
  const b = domain('isp-b', { prefixes: ['2001:db8:b::/48'], interfaces: ['wan-a'] })
  return {
    domains: [{ ...a!, sources: [], localAddresses, servers: [{ ...dots!, transports: ['udp'] }] }, b],
    providerIndependent: []
  }
}

/** Sources of the first packets of all attempts over IPv6, in their order. */
function sourcesSeen(): string[] {
  const seen = world.trace.filter(({ from, path }) => from === 'site' && path.local.address.family === 6)
  return [...new Set(seen.map(({ path }) => formatIpAddress(path.local.address)))]
}

describe('RFC 9284 §5.1', () => {
  it('among the addresses of its domain, a session leaves from the one that RFC 6724 selects [RFC9284-5.1-M02]', async () => {
    const locals = [
      on('2001:db8:a::1', { state: 'deprecated' }),
      on(OF_ISP_B),
      on('2001:db8:a:1::7'),
      on('2001:db8:a:2::7', { isTemporary: true })
    ]
    await world.start({ site: siteWith(locals) })
    await world.advance(Seconds(1))
    expect(world.session()).toBe('established udp6')
    expect(sourcesSeen()).toEqual(['2001:db8:a:2::7'])
  })

  it('the others are tried after it, in the order of RFC 6724, and never one of another domain [RFC9284-5.1-M02]', async () => {
    const locals = [
      on('2001:db8:a:1::7'),
      on(OF_ISP_B, { isTemporary: true }),
      on('2001:db8:a:2::7', { isTemporary: true }),
      on('fe80::1')
    ]
    world.block('udp6', 'udp4')
    await world.start({ site: siteWith(locals) })
    await world.advance(Seconds(30))
    expect(sourcesSeen()).toEqual(['2001:db8:a:2::7', '2001:db8:a:1::7'])
  })
})
