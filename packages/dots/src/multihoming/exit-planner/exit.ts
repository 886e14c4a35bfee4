import { addressBits, comparePrefixes, hostPrefix, mergePrefixes } from '@breakwater/core'
import type { IpAddress, IpFamily, IpPrefix } from '@breakwater/core'
import type { DomainName } from '../../domain/identifier.ts'
import type { ProvisioningDomain, Site } from '../../domain/site.ts'

/** How a router, or a host that chooses its exits, sends packets towards a provider. */
export interface Exit {
  readonly domain: DomainName
  readonly interface: string
  /** The next router, one of each family at most; none at all: the interface itself. */
  readonly gateways: readonly IpAddress[]
  /** Own addresses that DOTS messages of internal clients may leave from. */
  readonly sources: readonly IpAddress[]
  /** False: the way to another router, which has the exit, its filter and its sources. */
  readonly isOwn: boolean
}

/** What in the kernel is ours; nothing else is touched. */
export interface ExitOwnership {
  /** Provider `i` of the site, from 0, has table `table + 1 + i` and mark `mark + 1 + i`. */
  readonly table: number
  readonly mark: number
  readonly rulePriority: number
  readonly protocol: number
  readonly nftTable: string
}

/**
 * The routing table of a provider.
 * @param index Its place among the domains of the site.
 */
export function tableOf({ table }: ExitOwnership, index: number): number {
  return table + 1 + index
}

/** The mark of packets to the servers of a provider; `index` as above. */
export function markOf({ mark }: ExitOwnership, index: number): number {
  return mark + 1 + index
}

/** The exit to a provider, where this router has one. */
export function exitTo(name: DomainName, exits: readonly Exit[]): Exit | undefined {
  return exits.find(({ domain }) => domain === name)
}

/** Numbers and a name that nobody else is known to use. */
export const DEFAULT_EXIT_OWNERSHIP: ExitOwnership = {
  table: 46_460,
  mark: 1_178_992_640,
  rulePriority: 4646,
  protocol: 146,
  nftTable: 'breakwater_exits'
}

export const LINUX_MAIN_TABLE = 254
export const FAMILIES: readonly IpFamily[] = [4, 6]

/** RFC 8043 §3.2: what a provider assigned leaves by this provider. */
export function sourcePrefixes({ prefixes }: ProvisioningDomain, exit: Exit | undefined): IpPrefix[] {
  return mergePrefixes([...prefixes, ...(exit?.sources ?? []).map((source) => hostPrefix(source))])
}

/** Sources that a provider lets in: what it assigned, what it announces for the site, and our own addresses there. */
export function legalSources(site: Site, domain: ProvisioningDomain, exit: Exit | undefined): IpPrefix[] {
  const announced = site.providerIndependent
    .filter(({ domains }) => domains === undefined || domains.includes(domain.name))
    .map(({ prefix }) => prefix)
  const shared = (site.groups ?? [])
    .filter(({ domains }) => domains.includes(domain.name))
    .flatMap(({ prefixes }) => prefixes)
  return mergePrefixes([...sourcePrefixes(domain, exit), ...announced, ...shared]).toSorted(comparePrefixes)
}

/** Whether a prefix is one address. */
export function isHost({ address, length }: IpPrefix): boolean {
  return length === addressBits(address.family)
}
