import {
  Seconds,
  after,
  formatIpAddress,
  formatIpPrefix,
  ipAddressFromBytes,
  ipAddressToBytes,
  prefixContains
} from '@breakwater/core'
import type { IpAddress, IpFamily, IpPrefix } from '@breakwater/core'
import { DomainName, ServerName, parseCuid } from '@breakwater/dots'
import type { ClientDomain, Consent, Cuid, ProvisioningDomain, Site } from '@breakwater/dots'
import { VirtualClock, address } from '@breakwater/testing'
import { prefix, serverAddresses } from '../addressing.ts'
import type { Attachment, ClientPlan, Layout, ServerPlan } from '../layout.ts'
import { FactBook, FactPage } from './fact-book.ts'
import { Oracle } from '../oracle/oracle.ts'
import type { MultihomedScenario, PlacedClient } from './multihomed-scenario.ts'
import { domainOf, serversOf } from './multihomed-scenario.ts'
import { changed, statesOf } from './network-change.ts'

/** Who is where in a world of one multihomed network. */
export function multihomedLayout(scenario: MultihomedScenario): Layout {
  const states = statesOf(scenario).map((changes) => changed(scenario, changes))
  const clients = scenario.clients.map((_, number) => clientPlan(scenario, states, number))
  const count = scenario.domains.reduce((sum, { servers }) => sum + servers, 0)
  const pages = clients.map(({ number }) => states.map((state) => new FactPage(state, number)))
  const servers = Array.from({ length: count }, (_, number) => serverPlan(scenario, pages, clients, number))
  return { servers, clients }
}

function serverPlan(
  scenario: MultihomedScenario,
  pages: readonly (readonly FactPage[])[],
  clients: readonly ClientPlan[],
  number: number
): ServerPlan {
  const home = domainOf(scenario, number)
  return {
    number,
    home,
    name: serverNameOf(number),
    called: calledOf(number),
    addresses: addressesOf(scenario, number),
    alternate: undefined,
    standsFor: number,
    customers: clients.flatMap((client): ClientDomain[] => {
      const domain = client.domains.find((each) => each.number === home)
      if (domain === undefined) return []
      // Whom a prefix is routed to, the provider knows before its customer does.
      const all = (pages[client.number] ?? []).flatMap((page) => page.everHeardBy(number))
      const prefixes = [...new Map(all.map((each) => [formatIpPrefix(each), each])).values()]
      return [{ name: `site-${client.number}`, dnsNames: [domain.subject], pskIdentities: [], prefixes }]
    })
  }
}

/** Names that no message may carry to anybody else. */
function calledOf(server: number): string {
  return `server-${server}`
}

function serverNameOf(server: number): string {
  return `dots.server-${server}.example`
}

/** A domain of one family may have a server of both. */
function addressesOf(scenario: MultihomedScenario, server: number): readonly IpAddress[] {
  const domain = domainOf(scenario, server)
  const { families = [] } = scenario.domains[domain] ?? {}
  const all = serverAddresses(server)
  return server % 2 === 0 ? all : all.filter(({ family }) => families.includes(family))
}

function domainName(domain: number): DomainName {
  return DomainName(`domain-${domain}`)
}

function cuidOf(client: number, domain: number): Cuid {
  const cuid = parseCuid(`client-${client}.at-${domain}`)
  if (cuid === undefined) throw new RangeError('no cuid')
  return cuid
}

function clientPlan(
  scenario: MultihomedScenario,
  states: readonly MultihomedScenario[],
  number: number
): ClientPlan {
  const facts = new FactBook(scenario, number)
  const client = clientOf(scenario, number)
  const names = scenario.naming[number]
  const attachments = attachmentsOf(scenario, number)
  const ever = states.flatMap((state) => attachmentsOf(state, number))
  return {
    number,
    site: siteOf(scenario, client, attachments),
    domains: client.domains.map((domain) => ({
      number: domain,
      name: domainName(domain),
      cuid: cuidOf(number, domain),
      subject: `client-${number}.domain-${domain}.example`
    })),
    attachments: attachments.map((each) => ({ ...each, addresses: addressesEver(each, ever) })),
    router: client.place === 'lan' ? 'by-source' : undefined,
    ...(names === undefined || names.names.length === 0 ? {} : { names }),
    oracle: new Oracle((at) => facts.at(at)),
    network: {
      under: (changes) => {
        const now = changed(scenario, changes)
        const links = attachmentsOf(now, number)
        return { site: siteOf(now, clientOf(now, number), links), attachments: links }
      },
      told: (changes, at) => facts.turn(changed(scenario, changes), number, at)
    }
  }
}

function clientOf({ clients }: MultihomedScenario, number: number): PlacedClient {
  const found = clients[number]
  if (found === undefined) throw new RangeError(`no client ${number}`)
  return found
}

function attachmentsOf(scenario: MultihomedScenario, number: number): Attachment[] {
  const { domains, place } = clientOf(scenario, number)
  return domains.flatMap((domain): Attachment[] => {
    if (scenario.domains[domain]?.kind !== 'access') return []
    const via = place === 'lan' ? 'lan0' : `wan-${domain}`
    return [{ domain, interface: via, addresses: sourcesOf(scenario, number, domain) }]
  })
}

function addressesEver({ domain }: Attachment, all: readonly Attachment[]): IpAddress[] {
  const own = all.filter((each) => each.domain === domain).flatMap(({ addresses }) => addresses)
  return [...new Map(own.map((each) => [formatIpAddress(each), each])).values()]
}

/** One address of each family, in a prefix of the domain's where there is room, else one of the link itself. */
function sourcesOf(scenario: MultihomedScenario, client: number, domain: number): IpAddress[] {
  const { families = [], lost = [], prefixes = [] } = scenario.domains[domain] ?? {}
  const foreign = scenario.domains
    .flatMap((other, index) => (index === domain ? [] : other.prefixes))
    .map(prefix)
  const inOrder = [6, 4].flatMap((family): IpFamily[] =>
    families.filter((each) => each === family && !lost.includes(each))
  )
  return inOrder.map((family) => {
    const roomy = prefixes.map(prefix).find((own) => {
      const isFree = !foreign.some((other) => prefixContains(own, other) || prefixContains(other, own))
      return own.address.family === family && isFree
    })
    if (roomy !== undefined) return hostIn(roomy, client + 1)
    return address(family === 4 ? `172.${16 + domain}.${client}.1` : `2001:db8:f0:${domain}::${client + 1}`)
  })
}

function hostIn({ address: base }: IpPrefix, host: number): IpAddress {
  const bytes = ipAddressToBytes(base)
  bytes[bytes.length - 1] = host
  return ipAddressFromBytes(bytes)
}

/** The site as its operator configured it for one client: domains that the client does not know are left out. */
function siteOf(
  scenario: MultihomedScenario,
  client: PlacedClient,
  attachments: readonly Attachment[]
): Site {
  const isKnown = (domain: number): boolean => client.domains.includes(domain)
  const known = (domains: readonly number[]): DomainName[] => domains.filter(isKnown).map(domainName)
  const domains = client.domains.map((domain) => provisioningDomain(scenario, client, domain, attachments))
  const groups = scenario.groups.filter((group) => group.domains.some(isKnown))
  const providers = scenario.singleProviders.filter((each) => each.domains.filter(isKnown).length > 1)
  return {
    domains,
    providerIndependent: scenario.providerIndependent
      .filter((own) => own.domains === 'all' || own.domains.some(isKnown))
      .map((own) => ({
        prefix: prefix(own.prefix),
        ...(own.domains === 'all' ? {} : { domains: known(own.domains) })
      })),
    internal: scenario.internal.map(prefix),
    groups: groups.map((group, index) => ({
      name: `group-${index}`,
      domains: known(group.domains),
      prefixes: group.prefixes.map(prefix)
    })),
    providers: providers.map((each, index) => ({
      name: `provider-${index}`,
      domains: known(each.domains),
      attachments: each.attachments
    })),
    consents: consentsOf(scenario, client),
    filters: client.filters.length === 0 ? [] : [{ name: 'filter', prefixes: client.filters.map(prefix) }]
  }
}

function provisioningDomain(
  scenario: MultihomedScenario,
  client: PlacedClient,
  number: number,
  attachments: readonly Attachment[]
): ProvisioningDomain {
  const name = domainName(number)
  const plan = scenario.domains[number]
  if (plan === undefined) throw new RangeError(`no domain ${number}`)
  const link = attachments.find(({ domain }) => domain === number)
  return {
    name,
    kind: plan.kind,
    interfaces: link === undefined ? [] : [link.interface],
    prefixes: plan.prefixes.map(prefix),
    sources: link?.addresses ?? [],
    // Nobody chose a source: there is none at present, and that may change.
    ...(link?.addresses.length === 0 ? { localAddresses: [] } : {}),
    servers: serversOf(scenario, number).map((server) => ({
      name: ServerName(calledOf(server)),
      domain: name,
      referenceName: serverNameOf(server),
      addresses: addressesOf(scenario, server),
      transports: scenario.transports,
      port: 4646
    })),
    ...(plan.isPool ? { isPool: true as const } : {}),
    ...(plan.kind === 'service'
      ? { protects: plan.protects.map(prefix).filter((each) => isOurs(scenario, client, each)) }
      : {}),
    preconfigured: plan.standing.map((each) => ({
      target: { prefixes: [prefix(each.prefix)], ports: [], protocols: [] },
      lifetime: each.lifetimeSeconds
    })),
    translations: plan.translations.map(({ internal, external }) => ({
      internal: prefix(internal),
      external: prefix(external)
    }))
  }
}

/** Whether it has a class in the site as this client knows it. */
function isOurs(scenario: MultihomedScenario, client: PlacedClient, listed: IpPrefix): boolean {
  const known = [
    ...client.domains.flatMap((domain) => scenario.domains[domain]?.prefixes ?? []),
    ...scenario.providerIndependent
      .filter((own) => own.domains === 'all' || own.domains.some((each) => client.domains.includes(each)))
      .map((each) => each.prefix)
  ]
  return known.some((text) => prefixContains(prefix(text), listed))
}

function consentsOf({ consents }: MultihomedScenario, client: PlacedClient): Consent[] {
  const begin = new VirtualClock().wallClock()
  return consents
    .map((consent, index) => ({ ...consent, name: `consent-${index}` }))
    .filter(({ of, to }) => client.domains.includes(of) && client.domains.includes(to))
    .map(({ name, of, to, prefixes, from, until }) => ({
      name,
      of: domainName(of),
      to: domainName(to),
      prefixes: prefixes.map(prefix),
      givenBy: 'A. Administrator',
      from: after(begin, Seconds(from)),
      until: after(begin, Seconds(until))
    }))
}
