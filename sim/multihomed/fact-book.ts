import { Seconds, formatIpPrefix } from '@breakwater/core'
import type { Instant, IpPrefix } from '@breakwater/core'
import { prefix } from '../addressing.ts'
import type { ClassFact, Facts, Heap } from '../oracle/facts.ts'
import type { ConsentPlan, DomainPlan, MultihomedScenario, PlacedClient } from './multihomed-scenario.ts'
import { serversOf } from './multihomed-scenario.ts'

/** What is true of a multihomed network at each moment, for one of its clients; from the scenario alone. */
export class FactBook {
  readonly #chapters: FactChapter[]

  constructor(scenario: MultihomedScenario, client: number) {
    this.#chapters = [{ from: undefined, page: new FactPage(scenario, client) }]
  }

  /** From now on, the network is another one. */
  turn(scenario: MultihomedScenario, client: number, from: Instant): void {
    this.#chapters.push({ from, page: new FactPage(scenario, client) })
  }

  /** The same object as long as nothing changes. */
  at(at: Instant): Facts {
    const found = this.#chapters.findLast(({ from }) => from === undefined || from <= at)
    if (found === undefined) throw new RangeError('no facts')
    return found.page.at(at)
  }
}

interface FactChapter {
  readonly from: Instant | undefined
  readonly page: FactPage
}

/** What is true of a network that stays as it is, while consents come and go. */
export class FactPage {
  readonly #scenario: MultihomedScenario
  readonly #client: PlacedClient
  readonly #pages = new Map<string, Facts>()

  constructor(scenario: MultihomedScenario, client: number) {
    const found = scenario.clients[client]
    if (found === undefined) throw new RangeError(`no client ${client}`)
    this.#scenario = scenario
    this.#client = found
  }

  /** The same object as long as nothing changes. */
  at(at: Instant): Facts {
    return this.#page(this.#consents.map(({ from, until }) => Seconds(from) <= at && at < Seconds(until)))
  }

  /** All that a server may hear of at one time or another. */
  everHeardBy(server: number): IpPrefix[] {
    const { classes, services, consents } = this.#page(this.#consents.map(() => true))
    const isAsked = ({ heaps }: { readonly heaps: readonly Heap[] }): boolean =>
      heaps.some((heap) => heap.includes(server))
    const all = [
      ...classes.filter(isAsked).map((each) => each.prefix),
      ...services.filter(isAsked).flatMap(({ protects }) => protects),
      ...consents.filter(isAsked).map((each) => each.prefix)
    ]
    return [...new Map(all.map((each) => [formatIpPrefix(each), each])).values()]
  }

  get #consents(): readonly ConsentPlan[] {
    return this.#scenario.consents.filter(({ of, to }) => this.#knows(of) && this.#knows(to))
  }

  #knows(domain: number): boolean {
    return this.#client.domains.includes(domain)
  }

  #page(holding: readonly boolean[]): Facts {
    const key = holding.join(' ')
    const known = this.#pages.get(key) ?? this.#write(holding)
    this.#pages.set(key, known)
    return known
  }

  #write(holding: readonly boolean[]): Facts {
    const classes = this.#classes()
    const all = this.#consents.flatMap(({ of, to, prefixes }, index) =>
      prefixes.map((text) => ({
        of,
        to,
        prefix: prefix(text),
        heaps: this.#heapsOf([to]),
        needsList: this.#plan(to).kind === 'service',
        holds: holding[index] === true
      }))
    )
    const services = this.#client.domains
      .filter((domain) => this.#plan(domain).kind === 'service')
      .map((domain) => ({
        domain,
        protects: this.#plan(domain).protects.map(prefix),
        heaps: this.#heapsOf([domain])
      }))
    const filters = this.#client.filters.map(prefix)
    return {
      classes,
      services,
      consents: all.filter(({ holds }) => holds),
      filters,
      internal: this.#scenario.internal.map(prefix),
      translations: this.#client.domains.flatMap((domain) =>
        this.#plan(domain).translations.map(({ internal, external }) => ({
          domain,
          internal: prefix(internal),
          external: prefix(external)
        }))
      ),
      standing: this.#client.domains.flatMap((domain) =>
        this.#plan(domain).standing.map((each) => ({
          domains: this.#providerOf(domain),
          prefix: prefix(each.prefix)
        }))
      ),
      borders: [
        ...classes.map((each) => each.prefix),
        ...services.flatMap(({ protects }) => protects),
        ...all.map((each) => each.prefix),
        ...filters
      ]
    }
  }

  #classes(): ClassFact[] {
    const { providerIndependent, groups } = this.#scenario
    const links = this.#client.domains.filter((domain) => this.#plan(domain).kind === 'access')
    const assigned = links.flatMap((domain) =>
      this.#plan(domain).prefixes.map((text) => this.#class(text, [domain], this.#providerOf(domain)))
    )
    const own = providerIndependent.flatMap(({ prefix: text, domains }): ClassFact[] => {
      const owners = domains === 'all' ? links : domains.filter((each) => this.#knows(each))
      return owners.length === 0
        ? []
        : [{ ...this.#class(text, owners, owners), isProviderIndependent: true }]
    })
    const shared = groups.flatMap(({ domains, prefixes }): ClassFact[] => {
      const owners = domains.filter((each) => this.#knows(each))
      const entitled = [...new Set(owners.flatMap((owner) => [owner, ...this.#providerOf(owner)]))]
      return owners.length === 0 ? [] : prefixes.map((text) => this.#class(text, owners, entitled))
    })
    return [...assigned, ...own, ...shared]
  }

  #class(text: string, owners: readonly number[], entitled: readonly number[]): ClassFact {
    return {
      prefix: prefix(text),
      isProviderIndependent: false,
      owners,
      entitled,
      heaps: this.#heapsOf(entitled),
      uncovered: entitled.filter((domain) => this.#plan(domain).servers === 0)
    }
  }

  /** RFC 9284 §5.4: the domain and the other attachments of its provider. */
  #providerOf(domain: number): readonly number[] {
    return this.#singleProvider(domain)?.domains ?? [domain]
  }

  #singleProvider(domain: number): MultihomedScenario['singleProviders'][number] | undefined {
    const own = this.#scenario.singleProviders
      .map((each) => ({ ...each, domains: each.domains.filter((other) => this.#knows(other)) }))
      .filter(({ domains }) => domains.length > 1)
    return own.find(({ domains }) => domains.includes(domain))
  }

  /** One server of a pool, one of a provider that is asked over one attachment, and all others. */
  #heapsOf(domains: readonly number[]): Heap[] {
    const heaps = new Map<string, number[]>()
    for (const domain of domains)
      for (const server of serversOf(this.#scenario, domain)) {
        const provider = this.#singleProvider(domain)
        const key =
          provider?.attachments === 'one'
            ? `provider ${provider.domains.join(' ')}`
            : this.#plan(domain).isPool
              ? `pool ${domain}`
              : `server ${server}`
        heaps.set(key, [...(heaps.get(key) ?? []), server])
      }
    return [...heaps.values()]
  }

  #plan(domain: number): DomainPlan {
    const found = this.#scenario.domains[domain]
    if (found === undefined) throw new RangeError(`no domain ${domain}`)
    return found
  }
}
