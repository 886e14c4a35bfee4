import type { Instant } from '@breakwater/core'
import { DomainName, ServerName, parseCuid } from '@breakwater/dots'
import type { ClientDomain, Cuid, Site } from '@breakwater/dots'
import {
  assignedPrefixes,
  interfaceName,
  ownPrefixes,
  prefix,
  renumbered,
  serverAddresses,
  siteAddresses
} from './addressing.ts'
import type { ClientPlan, Layout, ServerPlan } from './layout.ts'
import { asPlanned, changed, renumberedAddress } from './providers-network.ts'
import type { PresentSite } from './providers-network.ts'
import type { ClassFact, Facts } from './oracle/facts.ts'
import { Oracle } from './oracle/oracle.ts'
import { alternateOf, homeOf } from './scenario.ts'
import type { Scenario, SitePlan } from './scenario.ts'

/** Who is where in a world of sites and providers. */
export function layoutOf(scenario: Scenario): Layout {
  const servers = Array.from(
    { length: scenario.providers + scenario.alternates.length },
    (_, number): ServerPlan => {
      const home = homeOf(scenario, number)
      return {
        number,
        home,
        name: `dots.provider-${number}.example`,
        called: domainName(home),
        addresses: serverAddresses(number),
        alternate: alternateOf(scenario, number),
        standsFor: home,
        customers: customersOf(scenario, home)
      }
    }
  )
  return { servers, clients: scenario.sites.map((plan) => clientPlan(plan, servers)) }
}

function clientPlan(plan: SitePlan, servers: readonly ServerPlan[]): ClientPlan {
  const { number, attachments } = plan
  const pages: { readonly from: Instant; readonly facts: Facts }[] = []
  const first = factsOf(asPlanned(plan), servers)
  return {
    number,
    site: siteOf(asPlanned(plan), servers),
    domains: attachments.map((provider) => ({
      number: provider,
      name: domainName(provider),
      cuid: cuidOf(number, provider),
      subject: `site-${number}.provider-${provider}.example`
    })),
    attachments: attachments.map((provider) => ({
      domain: provider,
      interface: interfaceName(provider),
      addresses: [
        ...siteAddresses(number, provider),
        ...siteAddresses(number, provider).map(renumberedAddress)
      ]
    })),
    router: undefined,
    oracle: new Oracle((at) => pages.findLast(({ from }) => from <= at)?.facts ?? first),
    network: {
      under: (changes) => {
        const now = changed(plan, changes)
        const links = now.attachments.map((provider) => ({
          domain: provider,
          interface: interfaceName(provider),
          addresses: now.addresses(provider)
        }))
        return { site: siteOf(now, servers), attachments: links }
      },
      told: (changes, at) => pages.push({ from: at, facts: factsOf(changed(plan, changes), servers) })
    }
  }
}

function customersOf({ sites }: Scenario, provider: number): ClientDomain[] {
  return sites
    .filter(({ attachments }) => attachments.includes(provider))
    .map(({ number, announcedThrough }) => ({
      name: `site-${number}`,
      dnsNames: [`site-${number}.provider-${provider}.example`],
      pskIdentities: [],
      prefixes: [
        // Whom a prefix is routed to, the provider knows before its customer does.
        ...assignedPrefixes(number, provider).flatMap((each) => [each, renumbered(each)]),
        ...(announcedThrough.includes(provider) ? ownPrefixes(number) : [])
      ].map(prefix)
    }))
}

function factsOf(
  { number, attachments, announcedThrough, standing, assigned }: PresentSite,
  servers: readonly ServerPlan[]
): Facts {
  const heapOf = (provider: number): number[] =>
    servers.filter(({ standsFor }) => standsFor === provider).map((server) => server.number)
  const fact = (text: string, owners: readonly number[], isProviderIndependent: boolean): ClassFact => {
    const heaps = owners.map(heapOf)
    return { prefix: prefix(text), isProviderIndependent, owners, entitled: owners, heaps, uncovered: [] }
  }
  const classes = [
    ...attachments.flatMap((provider) => assigned(provider).map((text) => fact(text, [provider], false))),
    ...(announcedThrough.length === 0 ? [] : ownPrefixes(number)).map((text) =>
      fact(text, announcedThrough, true)
    )
  ]
  return {
    classes,
    services: [],
    consents: [],
    filters: [],
    internal: [],
    translations: [],
    standing: standing.map((each) => ({ domains: [each.provider], prefix: prefix(each.prefix) })),
    borders: classes.map((each) => each.prefix)
  }
}

export function domainName(provider: number): DomainName {
  return DomainName(`provider-${provider}`)
}

/** The cuid of a site at a provider; each provider gets another one. */
export function cuidOf(site: number, provider: number): Cuid {
  const cuid = parseCuid(`site-${site}.at-${provider}`)
  if (cuid === undefined) throw new RangeError('no cuid')
  return cuid
}

/** The site as its operator configured it. */
function siteOf(
  { number, attachments, announcedThrough, standing, transports, assigned, addresses }: PresentSite,
  servers: readonly ServerPlan[]
): Site {
  const isEverywhere = announcedThrough.length === attachments.length
  return {
    domains: attachments.map((provider) => ({
      name: domainName(provider),
      kind: 'access',
      interfaces: [interfaceName(provider)],
      prefixes: assigned(provider).map(prefix),
      sources: addresses(provider),
      preconfigured: standing
        .filter((each) => each.provider === provider)
        .map((each) => ({
          target: { prefixes: [prefix(each.prefix)], ports: [], protocols: [] },
          lifetime: each.lifetimeSeconds
        })),
      servers: servers
        .filter((server) => server.number === provider)
        .map((server) => ({
          name: ServerName(server.called),
          domain: domainName(provider),
          referenceName: server.name,
          addresses: server.addresses,
          transports,
          port: 4646
        }))
    })),
    // Where nobody announces it, it is nobody's to protect.
    providerIndependent: (announcedThrough.length === 0 ? [] : ownPrefixes(number)).map((text) => ({
      prefix: prefix(text),
      ...(isEverywhere ? {} : { domains: announcedThrough.map(domainName) })
    }))
  }
}
