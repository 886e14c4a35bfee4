import type { ResolverWords } from './world.ts'

/** A multihomed site and its providers, as a scenario draws them: the same for every backend. */
export interface Topology {
  readonly providers: readonly ProviderPlan[]
  readonly cpes: readonly CpePlan[]
  /** Hosts of the internal network: each has an address of every provider, and leaves by the CPE that is attached to it. */
  readonly hosts: readonly string[]
  readonly clients: readonly ClientPlan[]
  /** A prefix of the site's own (PI), which all providers announce. */
  readonly ownPrefix?: string
  /** A prefix of 28 bits that is used inside only: every provider of a link translates it to its own, one to one. */
  readonly internal?: string
  /** Links are counted from the other end: see `swapped`. */
  readonly isMirrored?: boolean
  /** RFC 9284 §6. */
  readonly consents?: readonly ConsentPlan[]
  /** Between clients and any server. Undefined: as long as the backend likes. */
  readonly roundTripMilliseconds?: number
}

/** An upstream network: a provisioning domain of the site. */
export interface ProviderPlan {
  readonly name: string
  /** What it assigned to the site (PA): an IPv4 prefix of 28 bits. Of a service: nothing. */
  readonly prefix: string
  /** What it assigns in place of that one day: its servers, routes and filters know both from the start. */
  readonly nextPrefix?: string
  /** Its DOTS servers: address by name. */
  readonly servers: Readonly<Record<string, string>>
  /** Its name server, and what that says at first. With one, clients know its DOTS servers by name alone (RFC 9284 §5.1). */
  readonly resolver?: { readonly address: string; readonly firstWords: ResolverWords }
  /** Its servers stand in for one another. */
  readonly isPool?: true
  /** Each of its links has a DOTS server of its own, and these share a store (RFC 9284 §5.4): of the nth link, the nth. */
  readonly sharesStore?: true
  /** A mitigation service of a third party, without a link (RFC 9284 §4): what it may protect. */
  readonly protects?: readonly string[]
}

/** The administrator lets the servers of one domain hear of another's prefix. */
export interface ConsentPlan {
  readonly of: string
  readonly to: string
  readonly prefix: string
}

/** A router of the site. */
export interface CpePlan {
  readonly name: string
  /** A link for each entry, to the provider of that name: `wan1`, `wan2` … */
  readonly uplinks: readonly string[]
}

export interface ClientPlan {
  readonly name: string
  /** The CPE or internal host that it runs on. */
  readonly on: string
  /** The providers whose servers it has sessions with. */
  readonly providers: readonly string[]
  /** Those that it is to have one day: their servers know it from the start. */
  readonly laterProviders?: readonly string[]
  /** Over which links it asks a provider whose servers share a store. Default: `all`. */
  readonly attachments?: 'one' | 'all'
  /** It reacts to these prefixes only (RFC 9284 §5.2, Figure 8). Undefined: to all. */
  readonly filter?: readonly string[]
  /** A second session stands by with each server, where there are two paths that are apart. */
  readonly standsBy?: { readonly heartbeatSeconds: number }
}

/** One access link, with the addresses of its ends. */
export interface AccessLink {
  /** Counts from 1, over all CPEs. */
  readonly number: number
  readonly provider: string
  readonly cpe: string
  /** Name of the interface at the CPE. */
  readonly interface: string
  readonly prefix: string
  readonly edge: string
  readonly cpeAddress: string
}

/** All access links in the order of their interfaces. */
export function linksOf({ cpes, isMirrored }: Topology): readonly AccessLink[] {
  const ends = cpes.flatMap(({ name, uplinks }) =>
    uplinks.map((provider, index) => ({ cpe: name, provider, interface: `wan${index + 1}` }))
  )
  return ends.map((end, index) => {
    const number = isMirrored === true ? ends.length - index : index + 1
    return {
      ...end,
      number,
      prefix: `10.0.${number}.0/30`,
      edge: `10.0.${number}.1`,
      cpeAddress: `10.0.${number}.2`
    }
  })
}

/** From where DOTS may be spoken over a link: its own addresses, and what its provider assigned or announces for the site. */
export function sourcesOver(topology: Topology, number: number): readonly string[] {
  const link = linksOf(topology).find((each) => each.number === number)
  if (link === undefined) throw new RangeError(`the drawing has no link ${number}`)
  const { ownPrefix } = topology
  const own = ownPrefix === undefined ? [] : [ownPrefix]
  return [link.prefix, ...assignedBy(providerOf(topology, link.provider)), ...own]
}

/** The nth address of a provider's prefix. */
export function addressIn({ prefix }: ProviderPlan, offset: number): string {
  const [network = ''] = prefix.split('/')
  const bytes = network.split('.').map(Number)
  return [...bytes.slice(0, 3), (bytes[3] ?? 0) + offset].join('.')
}

/** Where a CPE is in the internal network, in a provider's prefix. */
export function cpeAddressIn(topology: Topology, provider: ProviderPlan, cpe: string): string {
  return addressIn(provider, 1 + topology.cpes.findIndex(({ name }) => name === cpe))
}

/** Where an internal host is, in a provider's prefix. */
export function hostAddressIn(topology: Topology, provider: ProviderPlan, host: string): string {
  return addressIn(provider, 9 + topology.hosts.indexOf(host))
}

export function providerOf({ providers }: Topology, name: string): ProviderPlan {
  const found = providers.find((provider) => provider.name === name)
  if (found === undefined) throw new RangeError(`the drawing has no provider ${name}`)
  return found
}

/** The provider that a client's domain is an attachment of. */
export function ownerOf({ providers }: Topology, domain: string): ProviderPlan {
  const found = providers.find(
    ({ name, sharesStore }) =>
      name === domain || (sharesStore === true && domain.replace(/-[0-9]+$/, '') === name)
  )
  if (found === undefined) throw new RangeError(`the drawing has no provider of ${domain}`)
  return found
}

/** The servers that a client has sessions with. */
export function serversOf(topology: Topology, client: ClientPlan): readonly string[] {
  return client.providers.flatMap((name) => Object.keys(providerOf(topology, name).servers))
}

/**
 * The same site with its uplinks the other way round, and everything else that has an order. A link takes its number along,
 * and with it its addresses and how fast it is: two links to one provider change places, too.
 */
export function swapped(topology: Topology): Topology {
  return {
    ...topology,
    isMirrored: topology.isMirrored !== true,
    providers: topology.providers.toReversed(),
    cpes: topology.cpes.map((cpe) => ({ ...cpe, uplinks: cpe.uplinks.toReversed() })).toReversed(),
    clients: topology.clients.map((client) => ({ ...client, providers: client.providers.toReversed() }))
  }
}

/** What a provider assigns, now or one day; nothing where it is a service. */
export function assignedBy({ prefix, nextPrefix, protects }: ProviderPlan): readonly string[] {
  if (protects !== undefined) return []
  return nextPrefix === undefined ? [prefix] : [prefix, nextPrefix]
}

/** What the servers of a provider may hear of: the drawing's own word, which no code of the product has a say in. */
export function entitledTo(
  { ownPrefix, consents = [] }: Topology,
  provider: ProviderPlan
): readonly string[] {
  const { name, protects } = provider
  const consented = consents.filter(({ to }) => to === name).map(({ prefix }) => prefix)
  const own = ownPrefix === undefined || protects?.includes(ownPrefix) === false ? [] : [ownPrefix]
  return [...assignedBy(provider), ...own, ...consented]
}

/** The same by server. */
export function entitlements(topology: Topology): ReadonlyMap<string, readonly string[]> {
  return new Map(
    topology.providers.flatMap((provider) =>
      Object.keys(provider.servers).map((server) => [server, entitledTo(topology, provider)])
    )
  )
}

/** The drawing after a provider has given the site another prefix. */
export function renumbered(topology: Topology, provider: string): Topology {
  const change = (plan: ProviderPlan): ProviderPlan =>
    plan.name === provider && plan.nextPrefix !== undefined
      ? { ...plan, prefix: plan.nextPrefix, nextPrefix: plan.prefix }
      : plan
  return { ...topology, providers: topology.providers.map(change) }
}

/** The drawing after every client has got its later providers, too. */
export function grown(topology: Topology): Topology {
  const clients = topology.clients.map(({ laterProviders = [], ...plan }) => {
    return { ...plan, providers: [...plan.providers, ...laterProviders] }
  })
  return { ...topology, clients }
}
