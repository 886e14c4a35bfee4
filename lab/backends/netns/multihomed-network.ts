import {
  type AccessLink,
  type CpePlan,
  type ProviderPlan,
  type Topology,
  assignedBy,
  cpeAddressIn,
  hostAddressIn,
  linksOf,
  providerOf,
  renumbered
} from '../../multihomed/topology.ts'
import { Namespace } from './namespace.ts'

/** Networks of one process, one after the other or side by side. */
let networks = 0

/** A drawing as namespaces: one for each provider, CPE and internal host, an internal network and an internet. */
export class MultihomedNetwork {
  readonly #topology: Topology
  readonly #links: readonly AccessLink[]
  readonly #tag = `bw${process.pid.toString(36)}-${networks++}`
  readonly #made = new Map<string, Namespace>()

  private constructor(topology: Topology) {
    this.#topology = topology
    this.#links = linksOf(topology)
  }

  /** Every link, address, route and filter stands when it resolves. */
  static async build(topology: Topology): Promise<MultihomedNetwork> {
    const network = new MultihomedNetwork(topology)
    try {
      await network.#build()
      return network
    } catch (error) {
      await network.destroy()
      throw error
    }
  }

  namespace(name: string): Namespace {
    const namespace = this.#made.get(name)
    if (namespace === undefined) throw new RangeError(`there is no namespace ${name}`)
    return namespace
  }

  linksTo(provider: string): readonly AccessLink[] {
    return this.#links.filter((link) => link.provider === provider)
  }

  linksFrom(cpe: string): readonly AccessLink[] {
    return this.#links.filter((link) => link.cpe === cpe)
  }

  /** What the provider says of the addresses behind its access links; taken away with the interface when it is down. */
  customerRoutes(provider: ProviderPlan): readonly string[] {
    const [first] = this.linksTo(provider.name)
    if (first === undefined) return []
    return [...assignedBy(provider), ...this.#own()].map(
      (prefix) => `route replace ${prefix} via ${first.cpeAddress} dev cust${first.number}`
    )
  }

  /**
   * The next prefix of a provider takes the place of the one that it assigned: at its CPEs and at all hosts, which lose the
   * addresses of the former.
   */
  async renumber(provider: string): Promise<void> {
    const [before, after] = [this.#topology, renumbered(this.#topology, provider)]
    const [former, next] = [providerOf(before, provider), providerOf(after, provider)]
    const links = this.linksTo(provider)
    const cpes = [...new Set(links.map(({ cpe }) => cpe))]
    for (const cpe of cpes) {
      const table = 100 + (links.find((link) => link.cpe === cpe)?.number ?? 0)
      await this.namespace(cpe).ip([
        `addr add ${cpeAddressIn(after, next, cpe)}/28 dev lan`,
        `rule add pref ${table} from ${next.prefix} lookup ${table}`,
        `addr del ${cpeAddressIn(before, former, cpe)}/28 dev lan`,
        // RFC 7084 WPD-5: or else what still comes for it would be sent back, from sources that are not the site's.
        `route add blackhole ${former.prefix}`
      ])
    }
    const table = 101 + before.providers.findIndex(({ name }) => name === provider)
    for (const host of before.hosts)
      await this.namespace(host).ip([
        `addr add ${hostAddressIn(after, next, host)}/28 dev lan`,
        `route replace default via ${cpeAddressIn(after, next, cpes[0] ?? '')} dev lan table ${table}`,
        `rule add pref ${table} from ${next.prefix} lookup ${table}`,
        `addr del ${hostAddressIn(before, former, host)}/28 dev lan`
      ])
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#made.values()].map((namespace) => namespace.destroy()))
  }

  async #build(): Promise<void> {
    const { providers, cpes, hosts } = this.#topology
    for (const { name } of [...providers, ...cpes]) await this.#add(name, true)
    for (const name of hosts) await this.#add(name, false)
    await this.#add('internet', true)
    await this.#add('lan', false)
    for (const link of this.#links)
      await this.#cable(link.cpe, link.interface, link.provider, `cust${link.number}`)
    for (const [index, { name }] of providers.entries())
      await this.#cable(name, 'core', 'internet', `isp${index + 1}`)
    const insiders = [...cpes.map(({ name }) => name), ...hosts]
    for (const [index, name] of insiders.entries()) await this.#cable(name, 'lan', 'lan', `port${index + 1}`)
    await this.#configureLan(insiders.length)
    await this.#configureInternet()
    await Promise.all([
      ...providers.map((provider, index) => this.#configureProvider(provider, index + 1)),
      ...cpes.map((cpe) => this.#configureCpe(cpe)),
      ...hosts.map((host) => this.#configureHost(host))
    ])
  }

  async #add(name: string, router: boolean): Promise<void> {
    this.#made.set(name, await Namespace.create(`${this.#tag}-${name}`, { router }))
  }

  #cable(from: string, device: string, to: string, far: string): Promise<void> {
    return this.namespace(from).ip([
      `link add name ${device} type veth peer name ${far} netns ${this.namespace(to).name}`
    ])
  }

  #own(): readonly string[] {
    return this.#topology.ownPrefix === undefined ? [] : [this.#topology.ownPrefix]
  }

  #configureLan(ports: number): Promise<void> {
    const names = Array.from({ length: ports }, (_, index) => `port${index + 1}`)
    return this.namespace('lan').ip([
      'link add name bridge0 type bridge',
      'link set dev bridge0 up',
      ...names.flatMap((name) => [`link set dev ${name} master bridge0`, `link set dev ${name} up`])
    ])
  }

  #configureInternet(): Promise<void> {
    return this.namespace('internet').ip(
      this.#topology.providers.flatMap((provider, index) => [
        `link set dev isp${index + 1} up`,
        `addr add 10.1.${index + 1}.1/30 dev isp${index + 1}`,
        ...[
          ...assignedBy(provider),
          ...hostsOf(provider).map((address) => `${address}/32`),
          ...this.linksTo(provider.name).map(({ prefix }) => prefix)
        ].map((prefix) => `route add ${prefix} via 10.1.${index + 1}.2 dev isp${index + 1}`)
      ])
    )
  }

  async #configureProvider(provider: ProviderPlan, number: number): Promise<void> {
    const isp = this.namespace(provider.name)
    const links = this.linksTo(provider.name)
    await isp.ip([
      'link set dev lo up',
      'link set dev core up',
      `addr add 10.1.${number}.2/30 dev core`,
      `route add default via 10.1.${number}.1 dev core`,
      ...hostsOf(provider).map((address) => `addr add ${address}/32 dev lo`),
      ...links.flatMap((link) => [
        `link set dev cust${link.number} up`,
        `addr add ${link.edge}/30 dev cust${link.number}`
      ]),
      ...this.customerRoutes(provider)
    ])
    // What comes in for DOTS ports is written down first. BCP 38: only what this provider assigned, or announces for the site, may enter by an access link.
    const filters = links.map(
      ({ number: link, prefix }) =>
        `iifname "cust${link}" ip saddr != { ${[...assignedBy(provider), prefix, ...this.#own()].join(', ')} } counter name foreign_source drop`
    )
    await isp.nft(`
      table inet ingress {
        counter foreign_source { }
        set dots_sources { type ifname . ipv4_addr; flags dynamic; size 1024; counter; }
        chain prerouting {
          type filter hook prerouting priority raw;
          iifname "cust*" meta l4proto { tcp, udp } th dport 4646 update @dots_sources { iifname . ip saddr }
          ${filters.join('\n          ')}
        }
      }`)
  }

  /** Source routing: each provider's addresses leave by that provider. */
  #configureCpe({ name, uplinks }: CpePlan): Promise<void> {
    const links = this.#links.filter(({ cpe }) => cpe === name)
    const providers = [...new Set(uplinks)].map((each) => providerOf(this.#topology, each))
    return this.namespace(name).ip([
      'link set dev lo up',
      'link set dev lan up',
      ...providers.map((each) => `addr add ${cpeAddressIn(this.#topology, each, name)}/28 dev lan`),
      ...links.flatMap((link) => [
        `link set dev ${link.interface} up`,
        `addr add ${link.cpeAddress}/30 dev ${link.interface}`,
        `route add default via ${link.edge} dev ${link.interface} table ${100 + link.number}`,
        `rule add pref ${100 + link.number} from ${link.prefix} lookup ${100 + link.number}`
      ]),
      'rule add pref 100 lookup main suppress_prefixlength 0',
      ...providers.map((each) => {
        const table = 100 + (links.find(({ provider }) => provider === each.name)?.number ?? 0)
        return `rule add pref ${table} from ${each.prefix} lookup ${table}`
      }),
      ...links.slice(0, 1).map((link) => `route add default via ${link.edge} dev ${link.interface}`)
    ])
  }

  /** An address of every provider; the router of each is the CPE that is attached to it. */
  #configureHost(host: string): Promise<void> {
    const routes = this.#topology.providers.flatMap((provider, index) => {
      const link = this.linksTo(provider.name)[0]
      if (link === undefined) return []
      const router = cpeAddressIn(this.#topology, provider, link.cpe)
      return [
        `addr add ${hostAddressIn(this.#topology, provider, host)}/28 dev lan`,
        `route add default via ${router} dev lan table ${101 + index}`,
        `rule add pref ${101 + index} from ${provider.prefix} lookup ${101 + index}`,
        ...(index === 0 ? [`route add default via ${router} dev lan`] : [])
      ]
    })
    return this.namespace(host).ip([
      'link set dev lo up',
      'link set dev lan up',
      'rule add pref 100 lookup main suppress_prefixlength 0',
      ...routes
    ])
  }
}

/** The addresses of its own that others know it by. */
function hostsOf({ servers, resolver }: ProviderPlan): readonly string[] {
  return [...Object.values(servers), ...(resolver === undefined ? [] : [resolver.address])]
}
