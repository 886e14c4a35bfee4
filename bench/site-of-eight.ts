import { ipv4, ipv6, prefixOf } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { DomainName, ServerName } from '@breakwater/dots'
import type { ProvisioningDomain, Site } from '@breakwater/dots'

const DOMAINS = 8
const PREFIXES = 10_000
/** The site's own among them. */
const INDEPENDENT = 1000

/** After a renumbering, the first provider assigns what this provider would. */
export const RENUMBERED_BY = 100

/** IPv4 prefixes of a provider lie in a /8 of its own, every other /24; the IPv6 ones in a /32, every other /48. */
export function assignedPrefix(domain: number, index: number): IpPrefix {
  if (index % 2 === 0) return prefixOf(ipv4((11 + domain) * 2 ** 24 + 256 * index), 24)
  return prefixOf(ipv6(0x24000000 + domain, index * 2 ** 16, 0, 0), 48)
}

export function independentPrefix(index: number): IpPrefix {
  return prefixOf(ipv4(0xc6000000 + 512 * index), 24)
}

function provider(at: number, generation: number): ProvisioningDomain {
  const name = DomainName(`isp-${at}`)
  const count = (PREFIXES - INDEPENDENT) / DOMAINS
  const moved = at === 0 ? RENUMBERED_BY * generation : 0
  const server = {
    name: ServerName(name),
    domain: name,
    referenceName: `dots.${name}.example`,
    addresses: [ipv4(0xc0000200 + at)],
    port: 4646
  }
  return {
    name,
    kind: 'access',
    interfaces: [`wan-${at}`],
    prefixes: Array.from({ length: count }, (_, index) => assignedPrefix(at + moved, index)),
    sources: [ipv4((11 + at + moved) * 2 ** 24 + 1)],
    servers: [server]
  }
}

/**
 * A site of 8 providers and 10,000 prefixes: 1,125 of each provider and 1,000 of its own.
 * @param generation From one to the next, the first provider gives other prefixes: a renumbering.
 */
export function siteOfEight(generation = 0): Site {
  return {
    domains: Array.from({ length: DOMAINS }, (_, at) => provider(at, generation)),
    providerIndependent: Array.from({ length: INDEPENDENT }, (_, index) => ({
      prefix: independentPrefix(index)
    }))
  }
}
