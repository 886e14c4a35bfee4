import type { DomainName, ServerName } from '../domain/identifier.ts'
import type { DotsServer, Site } from '../domain/site.ts'
import { addressClasses, classifiedPrefixes } from './address-class.ts'
import type { AddressClass } from './address-class.ts'
import { ClassTable } from './class-table.ts'
import { legalPaths } from './legal-path.ts'
import type { LegalPaths } from './legal-path.ts'
import { routerPaths } from './router-paths.ts'

/** Why a server is asked. `section` is the rule that says so. */
export type PlacementReason = 'pa-own-domain' | 'pi-every-domain' | 'pi-named-domains'

/** What becomes of all targets of one class: worked out once per site, shared by every target. */
export interface ClassPlan {
  readonly class: AddressClass
  /** To be asked, all at the same time. */
  readonly servers: readonly DotsServer[]
  /** Entitled to protect it, but without a DOTS server. */
  readonly uncovered: readonly DomainName[]
  readonly because: PlacementReason
}

/** A site made ready for placement. Make it once with `compileSite`, and again when the site changes. */
export interface SitePlan {
  readonly site: Site
  /** The longest match decides; no match: foreign. */
  readonly table: ClassTable<ClassPlan>
  readonly servers: ReadonlyMap<ServerName, DotsServer>
  /** The paths that sessions with each server may take; to default routers none until they are known. */
  readonly paths: ReadonlyMap<ServerName, LegalPaths>
}

/** Compiles a site that `checkSite` has nothing against. */
export function compileSite(site: Site): SitePlan {
  const plans = new Map<AddressClass, ClassPlan>()
  const entries = classifiedPrefixes(site).map((entry) => {
    const value = plans.get(entry.class) ?? planClass(site, entry.class)
    plans.set(entry.class, value)
    return { prefix: entry.prefix, value }
  })
  const servers = new Map(site.domains.flatMap((d) => d.servers.map((s) => [s.name, s] as const)))
  const classes = addressClasses(site)
  const pathsTo = (server: DotsServer): LegalPaths =>
    server.isDefaultRouter === true ? routerPaths(site, server, []) : legalPaths(site, server, classes)
  const paths = new Map([...servers].map(([name, server]) => [name, pathsTo(server)] as const))
  return { site, table: new ClassTable(entries), servers, paths }
}

function planClass(site: Site, addressClass: AddressClass): ClassPlan {
  const entitled = addressClass.kind === 'pa' ? [addressClass.domain] : addressClass.domains
  const domains = site.domains.filter((domain) => entitled.includes(domain.name))
  return {
    class: addressClass,
    servers: domains.flatMap((domain) => domain.servers),
    uncovered: domains.filter((domain) => domain.servers.length === 0).map((domain) => domain.name),
    because: reasonFor(addressClass)
  }
}

function reasonFor(addressClass: AddressClass): PlacementReason {
  if (addressClass.kind === 'pa') return 'pa-own-domain'
  return addressClass.named ? 'pi-named-domains' : 'pi-every-domain'
}
