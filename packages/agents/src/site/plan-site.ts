import { formatIpAddress, formatIpPrefix } from '@breakwater/core'
import { describeClass, planNumbering } from '@breakwater/dots'
import type { NumberingProblem, PrefixLifetime } from '@breakwater/dots'
import { loadSiteFile } from '../config/load.ts'
import { topologyOfFile } from './topology-of-file.ts'

/** A plan in words and numbers, as `dots site plan --json` prints it. */
export interface SitePlanView {
  readonly routers: readonly {
    readonly router: string
    readonly blocks: readonly ({
      readonly prefix: string
      readonly domain: string
      /** The router that delegated it; undefined: the provider. */
      readonly from: string | undefined
    } & PrefixLifetime)[]
  }[]
  readonly links: readonly ({
    readonly link: string
    readonly prefix: string
    readonly domain: string
    readonly router: string
  } & PrefixLifetime)[]
  readonly hosts: readonly {
    readonly host: string
    readonly link: string
    readonly addresses: readonly {
      readonly address: string
      readonly domain: string
      readonly firstHop: string
      readonly state: 'preferred' | 'deprecated'
    }[]
  }[]
  readonly prefixes: readonly {
    readonly prefix: string
    readonly class: string
    readonly text: string
    readonly domains: readonly string[]
    readonly servers: readonly string[]
    readonly uncovered: readonly string[]
    readonly exitRouters: readonly string[]
    readonly lifetime: PrefixLifetime | undefined
  }[]
  readonly problems: readonly NumberingProblem[]
}

/**
 * Plans the prefixes of the site that a file describes.
 * @throws ConfigError with every mistake of the file.
 */
export function planSiteFile(file: string): SitePlanView {
  const plan = planNumbering(topologyOfFile(loadSiteFile(file).config))
  return {
    routers: plan.routers.map(({ name, blocks }) => ({
      router: name,
      blocks: blocks.map(({ holding: { block, domain, from }, lifetime }) => ({
        prefix: formatIpPrefix(block),
        domain,
        from: from?.router,
        ...lifetime
      }))
    })),
    links: plan.links.map(({ link, prefix, domain, router, lifetime }) => ({
      link,
      prefix: formatIpPrefix(prefix),
      domain,
      router,
      ...lifetime
    })),
    hosts: plan.hosts.map(({ name, link, addresses }) => ({
      host: name,
      link,
      addresses: addresses.map((each) => ({ ...each, address: formatIpAddress(each.address) }))
    })),
    prefixes: plan.prefixes.map(({ class: addressClass, prefix, ...row }) => ({
      prefix: formatIpPrefix(prefix),
      class: addressClass.kind,
      text: describeClass(addressClass),
      ...row
    })),
    problems: plan.problems
  }
}
