import { parseIpAddress } from '@breakwater/core'
import { DEFAULT_DELEGATING_BITS, DEFAULT_PREFIX_LIFETIME, DomainName } from '@breakwater/dots'
import type { SiteTopology } from '@breakwater/dots'
import type { SiteFile } from '../config/site-file.ts'
import { siteOfConfig } from '../config/site-of-config.ts'

/** Turns a checked site file into what the planner takes. */
export function topologyOfFile(file: SiteFile): SiteTopology {
  const { site } = siteOfConfig({ domains: file.domains, site: file.site })
  return {
    site,
    delegatingBits: file.delegatingBits ?? DEFAULT_DELEGATING_BITS,
    lifetimes: new Map(
      file.domains.map(({ name, preferredLifetimeSeconds, validLifetimeSeconds }) => [
        DomainName(name),
        {
          preferredSeconds: preferredLifetimeSeconds ?? DEFAULT_PREFIX_LIFETIME.preferredSeconds,
          validSeconds: validLifetimeSeconds ?? DEFAULT_PREFIX_LIFETIME.validSeconds
        }
      ])
    ),
    routers: file.routers.map(({ name, exits = [], requestsFrom = [], links = [] }) => ({
      name,
      exits: exits.map(({ domain }) => DomainName(domain)),
      requestsFrom,
      links
    })),
    links: (file.links ?? []).map(({ name, hosts = [] }) => ({
      name,
      hosts: hosts.map((host) => ({ name: host.name, interfaceId: interfaceIdOf(host.interfaceId) }))
    }))
  }
}

function interfaceIdOf(text: string): bigint {
  const address = parseIpAddress(text)
  return address === undefined ? 0n : (BigInt(address.c) << 32n) | BigInt(address.d)
}
