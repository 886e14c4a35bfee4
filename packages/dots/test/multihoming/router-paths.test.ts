import { formatIpAddress } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { DefaultRouter } from '../../src/domain/default-routers.ts'
import type { DotsServer, Site } from '../../src/domain/site.ts'
import { checkSite } from '../../src/multihoming/check-site.ts'
import { describeIllegal } from '../../src/multihoming/legal-path.ts'
import { routerPaths } from '../../src/multihoming/router-paths.ts'
import { compileSite } from '../../src/multihoming/site-plan.ts'
import { domain, ip, server } from './sites.ts'

const router: DotsServer = { ...server('isp-a', '192.0.2.1'), addresses: [], isDefaultRouter: true }

function siteOf(interfaces: readonly string[], dots: DotsServer = router): Site {
  const sources = ['198.51.100.1', '2001:db8:a::1']
  const a = domain('isp-a', { sources, interfaces, servers: [dots], prefixes: ['198.51.100.0/24'] })
  const b = domain('isp-b', {
    sources: ['100.64.7.1'],
    interfaces: ['wan-b'],
    servers: [{ ...server('isp-b', '192.0.2.1'), addresses: [], isDefaultRouter: true }]
  })
  return { domains: [a, b], providerIndependent: [] }
}

function at(via: string, address: string): DefaultRouter {
  return { interface: via, address: ip(address) }
}

function texts(site: Site, routers: readonly DefaultRouter[], dots = router): string[] {
  return routerPaths(site, dots, routers).paths.map(
    ({ transport, interface: via, source, remote }) =>
      `${transport} ${formatIpAddress(source)} via ${via} to ${formatIpAddress(remote.address)} ${remote.port}`
  )
}

describe('paths to a default router', () => {
  it('lead to the routers of the own interface, and to nobody else', () => {
    const routers = [at('wan-a', '198.51.100.254'), at('wan-a', 'fe80::1'), at('wan-b', 'fe80::1')]
    expect(texts(siteOf(['wan-a']), routers)).toEqual([
      'udp 2001:db8:a::1 via wan-a to fe80::1 4646',
      'udp 198.51.100.1 via wan-a to 198.51.100.254 4646',
      'tcp 2001:db8:a::1 via wan-a to fe80::1 4646',
      'tcp 198.51.100.1 via wan-a to 198.51.100.254 4646'
    ])
  })

  it('leave by the interface on which the router was found, where a domain has several', () => {
    const udp = { ...router, transports: ['udp'] as const }
    const routers = [at('wan-a', 'fe80::1'), at('wan-c', 'fe80::3')]
    expect(texts(siteOf(['wan-a', 'wan-c'], udp), routers, udp)).toEqual([
      'udp 2001:db8:a::1 via wan-a to fe80::1 4646',
      'udp 2001:db8:a::1 via wan-c to fe80::3 4646'
    ])
  })

  it('do not exist where there is no router, and say so', () => {
    const { paths, illegal } = routerPaths(siteOf(['wan-a']), router, [at('wan-b', 'fe80::1')])
    expect(paths).toEqual([])
    expect(illegal.map((reason) => describeIllegal(reason))).toEqual([
      'server isp-a is the default router, and there is none on wan-a'
    ])
  })

  it('are not known when the site is compiled', () => {
    expect(compileSite(siteOf(['wan-a'])).paths.get(router.name)?.paths).toEqual([])
  })
})

describe('a site whose server is the default router', () => {
  it('is fine without addresses', () => {
    expect(checkSite(siteOf(['wan-a']))).toEqual([])
  })

  it('must name an interface, and no address besides', () => {
    const both = { ...router, addresses: [ip('192.0.2.1')] }
    expect(checkSite(siteOf([], both)).map(({ code }) => code)).toEqual([
      'ROUTER_WITHOUT_INTERFACE',
      'ROUTER_WITH_ADDRESS'
    ])
  })
})
