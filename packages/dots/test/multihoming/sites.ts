import { parseIpAddress, parseIpPrefix } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import { DomainName, ServerName } from '../../src/domain/identifier.ts'
import type { DotsServer, ProvisioningDomain, Site } from '../../src/domain/site.ts'
import type { Target } from '../../src/domain/target.ts'

/** Builders for sites in the words of a test. */

export function ip(text: string): IpAddress {
  const address = parseIpAddress(text)
  if (address === undefined) throw new Error(`not an address: ${text}`)
  return address
}

export function net(text: string): IpPrefix {
  const prefix = parseIpPrefix(text)
  if (prefix === undefined) throw new Error(`not a prefix: ${text}`)
  return prefix
}

export function target(...prefixes: string[]): Target {
  return { prefixes: prefixes.map(net), ports: [], protocols: [] }
}

export function server(owner: string, address: string, name = owner): DotsServer {
  return {
    name: ServerName(name),
    domain: DomainName(owner),
    referenceName: `dots.${name.replace('/', '.')}.example`,
    addresses: [ip(address)],
    port: 4646
  }
}

export interface DomainOptions {
  readonly prefixes?: readonly string[]
  readonly sources?: readonly string[]
  readonly interfaces?: readonly string[]
  readonly servers?: readonly DotsServer[]
}

export function domain(name: string, options: DomainOptions = {}): ProvisioningDomain {
  return {
    name: DomainName(name),
    kind: 'access',
    interfaces: options.interfaces ?? [],
    prefixes: (options.prefixes ?? []).map(net),
    sources: (options.sources ?? []).map(ip),
    servers: options.servers ?? []
  }
}

/** Two providers, A and B, each with an IPv4 /24 and a server; 203.0.113.0/24 is the site's own. */
export const twoProviders: Site = {
  domains: [
    domain('isp-a', {
      prefixes: ['198.51.100.0/24'],
      sources: ['198.51.100.1'],
      interfaces: ['wan-a'],
      servers: [server('isp-a', '192.0.2.1')]
    }),
    domain('isp-b', {
      prefixes: ['100.64.7.0/24'],
      sources: ['100.64.7.1'],
      interfaces: ['wan-b'],
      servers: [server('isp-b', '192.0.2.129')]
    })
  ],
  providerIndependent: [{ prefix: net('203.0.113.0/24') }]
}
