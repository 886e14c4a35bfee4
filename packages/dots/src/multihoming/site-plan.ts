import type { PrefixEntry, PrefixTable } from '@breakwater/core'
import type { Consent } from '../domain/consent.ts'
import type { DomainName, ServerName } from '../domain/identifier.ts'
import type { DotsServer, Site } from '../domain/site.ts'
import { addressClasses } from './address-class.ts'
import type { AddressClass } from './address-class.ts'
import type { Alternatives } from './alternatives.ts'
import { planPrefixes } from './class-plan.ts'
import { ClassTable } from './class-table.ts'
import { legalPaths } from './legal-path.ts'
import type { LegalPaths } from './legal-path.ts'
import { internalTable } from './translation.ts'
import type { Translations } from './translation.ts'
import { routerPaths } from './router-paths.ts'

/** Why a server is asked. `section` is the rule that says so. */
export type PlacementReason = 'pa-own-domain' | 'pi-every-domain' | 'pi-named-domains' | 'group-domains'

/** What becomes of all targets of one class: worked out once per site, shared by every target. */
export interface ClassPlan {
  readonly class: AddressClass
  /** To be asked, all at the same time: one of each. */
  readonly alternatives: readonly Alternatives[]
  /** Their names, where nothing is to be chosen and no consent to be looked at: then every target of the class is asked of these. */
  readonly fixed: readonly ServerName[] | undefined
  /** To be asked, too, as long as all owners of the prefix consent. */
  readonly consented: readonly ConsentedDomain[]
  /** Inside none of the filters: others ask for it. */
  readonly isFiltered: boolean
  /** Entitled to protect it, but without a DOTS server. */
  readonly uncovered: readonly DomainName[]
  readonly because: PlacementReason
}

/** Servers that hear of another domain's prefixes because of consents (RFC 9284 §6). */
export interface ConsentedDomain {
  readonly domain: DomainName
  readonly alternatives: readonly Alternatives[]
  /** Each owner's; of several of one owner, one that holds is enough. */
  readonly consents: readonly Consent[]
}

/** A site made ready for placement. Make it once with `compileSite`, and again when the site changes. */
export interface SitePlan {
  readonly site: Site
  /** The longest match decides; no match: foreign. */
  readonly table: ClassTable<ClassPlan>
  /** Whose an address of the site is, as a source. */
  readonly classes: PrefixTable<AddressClass>
  /** What is used inside only, with its translations; undefined: nothing is. */
  readonly internal: ClassTable<Translations> | undefined
  readonly servers: ReadonlyMap<ServerName, DotsServer>
  /** Every list of servers that stand in for one another. */
  readonly standIns: readonly Alternatives[]
  /** Servers that nobody stands in for where some targets are concerned. */
  readonly alone: ReadonlySet<ServerName>
  /** The paths that sessions with each server may take; to default routers none until they are known. */
  readonly paths: ReadonlyMap<ServerName, LegalPaths>
}

/** Compiles a site that `checkSite` has nothing against. */
export function compileSite(site: Site): SitePlan {
  const servers = new Map(site.domains.flatMap((d) => d.servers.map((s) => [s.name, s] as const)))
  const classes = addressClasses(site)
  const pathsTo = (server: DotsServer): LegalPaths =>
    server.isDefaultRouter === true ? routerPaths(site, server, []) : legalPaths(site, server, classes)
  const paths = new Map([...servers].map(([name, server]) => [name, pathsTo(server)] as const))
  const entries = planPrefixes(site)
  const lists = alternativesIn(entries)
  return {
    site,
    table: new ClassTable(entries),
    classes,
    internal: internalTable(site),
    servers,
    standIns: standInsAmong(lists),
    alone: new Set(lists.filter((list) => list.length === 1).flatMap(namesOf)),
    paths
  }
}

function alternativesIn(entries: readonly PrefixEntry<ClassPlan>[]): readonly Alternatives[] {
  return [...new Set(entries.map(({ value }) => value))].flatMap(({ alternatives, consented }) => [
    ...alternatives,
    ...consented.flatMap((each) => each.alternatives)
  ])
}

function standInsAmong(lists: readonly Alternatives[]): readonly Alternatives[] {
  const several = lists.filter((servers) => servers.length > 1)
  return [...new Map(several.map((servers) => [namesOf(servers).join(' '), servers])).values()]
}

function namesOf(servers: Alternatives): ServerName[] {
  return servers.map(({ name }) => name)
}
