import type { ClientConfig } from '@breakwater/agents'
import { DEFAULT_SESSION_PARAMETERS, leastProbingRate } from '@breakwater/dots'

import {
  type ClientPlan,
  type ConsentPlan,
  type ProviderPlan,
  type Topology,
  entitledTo,
  linksOf,
  providerOf
} from './topology.ts'

/** Interfaces and local addresses of a domain, as the host of the client has them; both empty for a service. */
export interface DomainPlace {
  readonly interfaces: readonly string[]
  readonly sources: readonly string[]
}

type Configuration = Pick<ClientConfig, 'site' | 'domains'>
type Domain = Configuration['domains'][number]

/** Of the configuration of a client what the drawing says of its network: the same on every backend. */
export function clientSite(
  topology: Topology,
  plan: ClientPlan,
  placeOf: (provider: string) => DomainPlace
): Configuration {
  const { providers, filter } = plan
  const { ownPrefix, internal, consents = [] } = topology
  const coordinating = providers
    .map((name) => providerOf(topology, name))
    .filter(({ sharesStore }) => sharesStore === true)
  const known = consents.filter(({ of, to }) => providers.includes(of) && providers.includes(to))
  return {
    site: {
      ...(ownPrefix === undefined ? {} : { providerIndependent: [{ prefix: ownPrefix }] }),
      ...(internal === undefined ? {} : { internal: [internal] }),
      ...(coordinating.length === 0 ? {} : attachedTo(topology, plan, coordinating)),
      ...(known.length === 0 ? {} : { consents: known.map(consentOf) }),
      ...(filter === undefined ? {} : { filters: [{ name: 'own', prefixes: [...filter] }] })
    },
    domains: providers.flatMap((name) => {
      const provider = providerOf(topology, name)
      return provider.sharesStore === true
        ? attachmentsOf(topology, plan, provider)
        : [domainOf(topology, provider, placeOf(name))]
    })
  }
}

/** A domain for each link, with the server of that link; what the provider assigned is of all of them. */
function attachmentsOf(topology: Topology, { on }: ClientPlan, { name, servers }: ProviderPlan): Domain[] {
  const links = linksOf(topology).filter(({ cpe, provider }) => cpe === on && provider === name)
  const ordered = links.toSorted((one, other) => one.number - other.number)
  return Object.entries(servers).flatMap(([server, address], index) => {
    const link = ordered[index]
    if (link === undefined) return []
    return {
      name: `${name}-${index + 1}`,
      interfaces: [link.interface],
      sources: [link.cpeAddress],
      servers: [{ name: server, addresses: [address] }]
    }
  })
}

function attachedTo(
  topology: Topology,
  plan: ClientPlan,
  providers: readonly ProviderPlan[]
): Pick<NonNullable<Configuration['site']>, 'groups' | 'providers'> {
  const known = providers.map((provider) => {
    const domains = attachmentsOf(topology, plan, provider).map(({ name }) => name)
    return { name: provider.name, prefixes: [provider.prefix], domains }
  })
  const { attachments = 'all' } = plan
  return {
    groups: known,
    providers: known.map(({ name, domains }) => ({ name, domains, attachments, serversCoordinate: true }))
  }
}

/** Of the configuration of a client what the drawing says of its sessions. */
export function clientSessions({ standsBy }: ClientPlan): Pick<ClientConfig, 'session' | 'pathPool'> {
  if (standsBy === undefined) return {}
  const { heartbeatSeconds } = standsBy
  return {
    session: {
      heartbeatIntervalSeconds: heartbeatSeconds,
      probingRateBytesPerSecond: leastProbingRate(heartbeatSeconds)
    },
    pathPool: { warmStandby: 'apart' }
  }
}

/** What the clients of a drawing agree on with their servers, in bytes a second: the greatest, where they differ. */
export function agreedProbingRate({ clients }: Topology): { readonly probingRate: number } {
  const rates = clients.map(({ standsBy }) =>
    leastProbingRate(standsBy?.heartbeatSeconds ?? DEFAULT_SESSION_PARAMETERS.heartbeatIntervalSeconds)
  )
  return { probingRate: Math.max(DEFAULT_SESSION_PARAMETERS.probingRateBytesPerSecond, ...rates) }
}

function domainOf(topology: Topology, provider: ProviderPlan, { interfaces, sources }: DomainPlace): Domain {
  const { name, prefix, servers, isPool, protects, resolver } = provider
  const { internal } = topology
  const link = {
    interfaces: [...interfaces],
    sources: [...sources],
    prefixes: [prefix],
    ...(internal === undefined ? {} : { translations: [{ internal, external: prefix }] })
  }
  return {
    name,
    ...(protects === undefined
      ? link
      : { kind: 'service' as const, protects: [...entitledTo(topology, provider)] }),
    ...(isPool === true ? { pool: true } : {}),
    ...(resolver === undefined ? {} : { resolver: { kind: 'plain' as const, servers: [resolver.address] } }),
    servers: Object.entries(servers).map(([server, address]) => ({
      name: server,
      ...(resolver === undefined ? { addresses: [address] } : {}),
      // The rules of pacing are about datagrams, and only those are judged: a session over TCP, which overtakes on a busy
      // machine, would leave a story without an auditor.
      transports: ['udp']
    }))
  }
}

function consentOf({ of, to, prefix }: ConsentPlan) {
  const span = { date: '2020-01-01', until: '2100-01-01' }
  return { name: `${of}-to-${to}`, of, to, prefixes: [prefix], givenBy: 'the owner of the drawing', ...span }
}
