import { formatIpAddress, formatIpPrefix } from '@breakwater/core'
import { DomainName } from '../../../src/domain/identifier.ts'
import type { NumberingPlan } from '../../../src/multihoming/site-planner/numbering-plan.ts'
import { DEFAULT_DELEGATING_BITS } from '../../../src/multihoming/site-planner/topology.ts'
import type { SiteRouter, SiteTopology } from '../../../src/multihoming/site-planner/topology.ts'
import { domain, server } from '../sites.ts'

/** Builders for topologies in the words of a test. */

export function router(
  name: string,
  options: { from?: readonly string[]; exits?: readonly string[]; links?: readonly string[] } = {}
): SiteRouter {
  return {
    name,
    requestsFrom: options.from ?? [],
    exits: (options.exits ?? []).map((exit) => DomainName(exit)),
    links: options.links ?? []
  }
}

/** Every link that a router numbers has one host, `h`, with the interface id 1. */
export function topology(
  prefixes: Readonly<Record<string, readonly string[]>>,
  routers: readonly SiteRouter[],
  delegatingBits = DEFAULT_DELEGATING_BITS
): SiteTopology {
  const domains = Object.entries(prefixes).map(([name, texts], index) =>
    domain(name, { prefixes: texts, servers: [server(name, `192.0.2.${index + 1}`)] })
  )
  const links = [...new Set(routers.flatMap((each) => each.links))]
  return {
    site: { domains, providerIndependent: [] },
    lifetimes: new Map(),
    delegatingBits,
    routers,
    links: links.map((name) => ({ name, hosts: [{ name: 'h', interfaceId: 1n }] }))
  }
}

/** `A 2001:db8:1::/48` */
export function blocksOf(plan: NumberingPlan, ...routers: readonly string[]): string[] {
  return plan.routers
    .filter(({ name }) => routers.length === 0 || routers.includes(name))
    .flatMap(({ name, blocks }) => blocks.map(({ holding }) => `${name} ${formatIpPrefix(holding.block)}`))
}

/** `lan 2001:db8:1::/64` */
export function linksOf(plan: NumberingPlan, ...links: readonly string[]): string[] {
  return plan.links
    .filter(({ link }) => links.length === 0 || links.includes(link))
    .map(({ link, prefix }) => `${link} ${formatIpPrefix(prefix)}`)
}

/** `2001:db8:1::1 preferred` */
export function addressesOn(plan: NumberingPlan, link: string): string[] {
  return plan.hosts
    .filter((host) => host.link === link)
    .flatMap(({ addresses }) => addresses.map(({ address, state }) => `${formatIpAddress(address)} ${state}`))
}

export function codesOf(plan: NumberingPlan): string[] {
  return plan.problems.map(({ code }) => code)
}
