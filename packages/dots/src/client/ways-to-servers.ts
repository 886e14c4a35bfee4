import type { DefaultRouter } from '../domain/default-routers.ts'
import type { ServerName } from '../domain/identifier.ts'
import type { DotsServer, Site } from '../domain/site.ts'
import { strangersTo } from '../multihoming/address-class.ts'
import { alternatePaths } from '../multihoming/alternate-paths.ts'
import type { AlternatePaths, AlternateServer } from '../multihoming/alternate-paths.ts'
import { legalPaths } from '../multihoming/legal-path.ts'
import type { LegalPath, LegalPaths } from '../multihoming/legal-path.ts'
import { routerPaths } from '../multihoming/router-paths.ts'
import type { SitePlan } from '../multihoming/site-plan.ts'
import type { ServerLocation } from './location/server-locator.ts'

/** The legal ways to every server, as far as it is known where it is: by its address, by its name, or as a default router. */
export class WaysToServers {
  readonly #locate: (server: ServerName) => ServerLocation
  #routers: readonly DefaultRouter[] = []

  constructor(locate: (server: ServerName) => ServerLocation) {
    this.#locate = locate
  }

  /** These are the default routers from now on. */
  route(routers: readonly DefaultRouter[]): void {
    this.#routers = routers
  }

  to(server: DotsServer, plan: SitePlan): LegalPaths {
    if (server.isDefaultRouter === true) return routerPaths(plan.site, server, this.#routers)
    if (server.isNamed === true) return this.#byName(server, plan)
    return plan.paths.get(server.name) ?? { paths: [], illegal: [] }
  }

  /** To who is to stand in for a server (RFC 9132 §4.6). */
  inPlaceOf(server: DotsServer, alternate: AlternateServer, site: Site): AlternatePaths {
    return alternatePaths(this.#withLocations(site), server, alternate)
  }

  #byName(server: DotsServer, { site, classes }: SitePlan): LegalPaths {
    const { addresses, trouble } = this.#locate(server.name)
    if (addresses.length > 0) return legalPaths(site, { ...server, addresses, isUnordered: true }, classes)
    return { paths: [], illegal: [{ kind: 'not-located', server: server.name, reason: trouble }] }
  }

  /** Also a server that is known by its name is nobody else's alternate. */
  #withLocations(site: Site): Site {
    const located = (server: DotsServer): DotsServer =>
      server.isNamed === true ? { ...server, addresses: this.#locate(server.name).addresses } : server
    return { ...site, domains: site.domains.map((each) => ({ ...each, servers: each.servers.map(located) })) }
  }
}

/** Its source is what another domain assigned. */
export function isStray({ domain, source }: LegalPath, plan: SitePlan): boolean {
  const isService = plan.site.domains.some(({ name, kind }) => name === domain && kind === 'service')
  return !isService && strangersTo(domain, plan.classes.longestMatch(source)?.value).length > 0
}
