import { formatIpAddress, UnavailableError } from '@breakwater/core'
import type { LocalAddress } from '@breakwater/dots'
import { interfaceAddressesContract } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { addressesOfIpAddress } from '../../src/interface-addresses/ip-address.ts'
import { linuxInterfaceAddresses } from '../../src/interface-addresses/linux-interface-addresses.ts'
import { obstacleOf } from '../two-link-namespace.ts'
import { linuxWorld } from './linux-world.ts'

const obstacle = obstacleOf()
if (obstacle === undefined)
  interfaceAddressesContract('the addresses of a Linux network namespace', linuxWorld)
else it.skip(`addresses of a Linux network namespace: ${obstacle}`, () => undefined)

function text({ address, prefixLength, interface: own, ...about }: LocalAddress): string {
  const temporary = about.isTemporary === true ? ' temporary' : ''
  const home = about.mobility === 'home' ? ' home' : ''
  return `${own.name} ${formatIpAddress(address)}/${prefixLength} ${about.state}${temporary}${home}`
}

function link(info: string, about = '"ifname":"wan-a","flags":["UP"]'): string {
  return `[{${about},"addr_info":[${info}]}]`
}

describe('what ip says', () => {
  it('names addresses with all that selection asks', () => {
    const found = addressesOfIpAddress(
      link(`
        {"family":"inet","local":"192.0.2.2","prefixlen":24,"preferred_life_time":4294967295},
        {"family":"inet6","local":"2001:db8:a::1","prefixlen":64,"temporary":true,"dynamic":true},
        {"family":"inet6","local":"2001:db8:a::2","prefixlen":64,"deprecated":true,"preferred_life_time":0},
        {"family":"inet6","local":"2001:db8:a::3","prefixlen":64,"optimistic":true,"tentative":true},
        {"family":"inet6","local":"2001:db8:a::4","prefixlen":64,"home":true},
        {"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}`)
    )
    expect(found.map(text)).toEqual([
      'wan-a 192.0.2.2/24 preferred',
      'wan-a 2001:db8:a::1/64 preferred temporary',
      'wan-a 2001:db8:a::2/64 deprecated',
      'wan-a 2001:db8:a::3/64 optimistic',
      'wan-a 2001:db8:a::4/64 preferred home',
      'wan-a fe80::1/64 preferred'
    ])
  })

  it('tells tunnels from other links', () => {
    const info = '{"local":"2001:db8::1","prefixlen":64}'
    const tunnel = addressesOfIpAddress(link(info, '"ifname":"t","flags":["UP"],"link_type":"sit"'))
    const native = addressesOfIpAddress(link(info, '"ifname":"e","flags":["UP"],"link_type":"ether"'))
    expect(tunnel[0]?.interface).toEqual({ name: 't', isEncapsulating: true })
    expect(native[0]?.interface).toEqual({ name: 'e' })
  })

  it.each([
    ['an address that may be another’s', link('{"local":"2001:db8::1","prefixlen":64,"tentative":true}')],
    ['one that is another’s', link('{"local":"2001:db8::1","prefixlen":64,"dadfailed":true}')],
    ['a link that is down', link('{"local":"192.0.2.2","prefixlen":24}', '"ifname":"wan-a","flags":[]')],
    ['no interface', link('{"local":"192.0.2.2","prefixlen":24}', '"flags":["UP"]')],
    ['no address', link('{"local":"host","prefixlen":24}')],
    ['an impossible length', link('{"local":"192.0.2.2","prefixlen":33}')],
    ['no length', link('{"local":"192.0.2.2"}')],
    ['nothing at all', ''],
    ['no list', '{"ifname":"wan-a"}'],
    ['no link', '[null, 7, "wan-a"]'],
    ['no addresses', '[{"ifname":"wan-a","flags":["UP"],"addr_info":[null, 7]}]']
  ])('has no address in it when it is %s', (_what, json) => {
    expect(addressesOfIpAddress(json)).toEqual([])
  })
})

describe('a host', () => {
  it('without ip falls back on what Node tells', async () => {
    const addresses = linuxInterfaceAddresses({ ip: ['no-such-command-on-this-host'] })
    const texts = (await addresses.read()).map(({ address }) => formatIpAddress(address))
    expect(texts).toContain('127.0.0.1')
  })

  it('whose ip fails, or says what is no JSON, says so', async () => {
    for (const ip of [['false'], ['echo']] as const)
      await expect(linuxInterfaceAddresses({ ip }).read()).rejects.toBeInstanceOf(UnavailableError)
  })
})
