import { formatIpAddress } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { Site } from '../../packages/dots/src/domain/site.ts'
import { legalPaths } from '../../packages/dots/src/multihoming/legal-path.ts'
import { own } from '../../packages/dots/test/multihoming/selection-host.ts'
import { domain, ip, server } from '../../packages/dots/test/multihoming/sites.ts'

/* RFC 6724 §1: whose choice it is. The user here is the client, and the choice its operator's. */

const near = '2001:db8:a:ffff::1'
const far = '2001:db8:9:9::1'

/** A provider whose system would order both sources and addresses the other way round. */
function pathsWith(sources: readonly string[]): string[] {
  const dots = { ...server('isp-a', near), addresses: [ip(far), ip(near)], transports: ['udp'] as const }
  const a = domain('isp-a', {
    interfaces: ['wan-a'],
    sources,
    servers: [dots],
    prefixes: ['2001:db8:a::/48']
  })
  const localAddresses = [
    own('2001:db8:a:1::1', { interface: { name: 'wan-a' }, state: 'deprecated' }),
    own('2001:db8:a:2::1', { interface: { name: 'wan-a' } })
  ]
  const site: Site = { domains: [{ ...a, localAddresses }], providerIndependent: [] }
  const { paths } = legalPaths(site, dots)
  return paths.map(({ source, remote }) => `${formatIpAddress(source)} to ${formatIpAddress(remote.address)}`)
}

describe('RFC 6724 §1', () => {
  it('sources and destinations that the operator chose are used as chosen, against every rule [RFC6724-1-M01]', () => {
    const [first, second] = ['2001:db8:a:1::1', '2001:db8:a:2::1']
    expect(pathsWith([first, second])).toEqual([
      `${first} to ${far}`,
      `${second} to ${far}`,
      `${first} to ${near}`,
      `${second} to ${near}`
    ])
    expect(pathsWith([first])).toEqual([`${first} to ${far}`, `${first} to ${near}`])
    expect(pathsWith([])[0]).toBe(`${second} to ${far}`)
  })
})
