import type { DefaultRouter } from '../domain/default-routers.ts'
import type { DotsServer, Site } from '../domain/site.ts'
import { addressClasses } from './address-class.ts'
import { legalPaths } from './legal-path.ts'
import type { IllegalPath, LegalPath, LegalPaths } from './legal-path.ts'

/**
 * Every legal path to a server that is its domain's default router (RFC 9132 §4.3): to a router on one of the domain's
 * interfaces, by that interface alone. A router on another interface is another provider's, and does not exist here.
 */
export function routerPaths(site: Site, server: DotsServer, routers: readonly DefaultRouter[]): LegalPaths {
  const domain = site.domains.find((candidate) => candidate.name === server.domain)
  const classes = addressClasses(site)
  const paths: LegalPath[] = []
  const illegal: IllegalPath[] = []
  for (const via of domain?.interfaces ?? []) {
    const addresses = routers.filter((router) => router.interface === via).map(({ address }) => address)
    if (domain === undefined || addresses.length === 0) {
      illegal.push({ kind: 'no-router', server: server.name, interface: via })
      continue
    }
    const narrowed = { ...site, domains: [{ ...domain, interfaces: [via] }] }
    const found = legalPaths(narrowed, { ...server, addresses }, classes)
    paths.push(...found.paths)
    illegal.push(...found.illegal)
  }
  return { paths, illegal }
}
