import { site } from '@breakwater/testing'
import { SimulatedInterfaceAddresses, address } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { withLocalAddresses } from '../../src/client/local-addresses.ts'

const local = { address: address('2001:db8:a::1'), prefixLength: 64, interface: { name: 'wan-a' } }

describe('the addresses of the host', () => {
  it('are looked up where a domain leaves its sources to the system', async () => {
    const addresses = new SimulatedInterfaceAddresses()
    addresses.add(local)
    const given = site([
      { name: 'isp-a', prefixes: [] },
      { name: 'isp-b', prefixes: [], sources: ['192.0.2.7'] }
    ])
    const { domains } = await withLocalAddresses(given, addresses)
    expect(domains.map(({ localAddresses }) => localAddresses)).toEqual([[local], [local]])
  })

  it('are nobody’s business where every domain names its own', async () => {
    const addresses = new SimulatedInterfaceAddresses()
    const given = site([{ name: 'isp-a', prefixes: [], sources: ['192.0.2.7'] }])
    expect(await withLocalAddresses(given, addresses)).toBe(given)
    expect(addresses.reads).toBe(0)
  })
})
