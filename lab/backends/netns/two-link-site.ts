import { Namespace } from './namespace.ts'

/** One of the two providers: every address of the site that is in its prefix leaves by its link. */
export interface Upstream {
  readonly name: string
  /** Its interface at the CPE. */
  readonly device: string
  /** What it assigned to the site; its end of the link has the first address of the first /64. */
  readonly prefix: string
  readonly edge: string
  /** Where its DOTS server is. */
  readonly server: string
  /** Words after `ip address add`, one for each address at the CPE's end of the link, in the order in which they come. */
  readonly addresses: readonly string[]
}

/**
 *   CPE: wan1 ── cust isp1 (BCP 38), DOTS server
 *        wan2 ── cust isp2 (BCP 38), DOTS server
 *
 * IPv6 only. Each provider writes down from where its DOTS server is asked, before its server reads a byte.
 */
export class TwoLinkSite {
  readonly cpe: Namespace
  readonly #providers: ReadonlyMap<string, Namespace>

  private constructor(cpe: Namespace, providers: ReadonlyMap<string, Namespace>) {
    this.cpe = cpe
    this.#providers = providers
  }

  /** @param tag Distinguishes it from others of this process. */
  static async build(tag: string, upstreams: readonly [Upstream, Upstream]): Promise<TwoLinkSite> {
    const name = `bw${process.pid.toString(36)}-${tag}`
    const providers = new Map<string, Namespace>()
    const site = new TwoLinkSite(await Namespace.create(`${name}-cpe`, { router: true }), providers)
    try {
      for (const upstream of upstreams) {
        providers.set(upstream.name, await Namespace.create(`${name}-${upstream.name}`, { router: true }))
        await site.#connect(upstream, providers.size)
      }
      return site
    } catch (error) {
      await site.destroy()
      throw error
    }
  }

  provider(name: string): Namespace {
    const found = this.#providers.get(name)
    if (found === undefined) throw new RangeError(`there is no provider ${name}`)
    return found
  }

  /** The sources from which the DOTS server of a provider was asked. */
  async sourcesSeen(name: string): Promise<readonly string[]> {
    const listed = await this.provider(name).exec('nft -j list set inet ingress asked_from'.split(' '))
    const { nftables } = JSON.parse(listed) as { nftables: { set?: { elem?: string[] } }[] }
    return nftables.flatMap(({ set }) => set?.elem ?? [])
  }

  /** Packets that a provider dropped, because it did not assign their source. */
  async dropped(name: string): Promise<number> {
    const listed = await this.provider(name).exec('nft list counter inet ingress foreign_source'.split(' '))
    return Number(/packets (\d+)/.exec(listed)?.[1])
  }

  async destroy(): Promise<void> {
    await Promise.all([this.cpe, ...this.#providers.values()].map((namespace) => namespace.destroy()))
  }

  async #connect({ name, device, prefix, edge, server, addresses }: Upstream, number: number): Promise<void> {
    const provider = this.provider(name)
    await this.cpe.ip([`link add name ${device} type veth peer name cust netns ${provider.name}`])
    await this.cpe.exec(['sysctl', '-qw', `net.ipv6.conf.${device}.use_tempaddr=2`])
    await provider.ip([
      ...['lo', 'cust'].map((each) => `link set dev ${each} up`),
      `addr add ${edge}/64 dev cust`,
      `addr add ${server}/128 dev lo`
    ])
    await provider.nft(ingressOf(prefix, server))
    await this.cpe.ip([
      `link set dev ${device} up`,
      ...addresses.map((address) => `addr add ${address} dev ${device}`),
      `route add default via ${edge} dev ${device} table ${100 + number}`
    ])
    const rule = `pref ${100 + number} from ${prefix} lookup ${100 + number}`
    await this.cpe.exec(`ip -6 rule add ${rule}`.split(' '))
    // Its next hop is there whichever addresses a test gives the CPE.
    const [nextHop = ''] = await this.addresses(device, 'scope link')
    await provider.ip([`route add ${prefix} via ${nextHop} dev cust`])
  }

  /** What the CPE has at a link. @param words Which of it, as `ip address show` takes them. */
  async addresses(device: string, words: string): Promise<readonly string[]> {
    const listed = await this.cpe.exec(`ip -6 -j addr show dev ${device} ${words}`.split(' '))
    const interfaces = JSON.parse(listed) as { addr_info?: { local?: string }[] }[]
    // In place of what it leaves out, it writes empty objects.
    return interfaces.flatMap(({ addr_info: found = [] }) => found.flatMap(({ local }) => local ?? []))
  }
}

/** BCP 38, and behind it who asks the DOTS server. */
function ingressOf(prefix: string, server: string): string {
  return `
    table inet ingress {
      counter foreign_source { }
      set asked_from { type ipv6_addr; flags dynamic; size 64; }
      chain prerouting {
        type filter hook prerouting priority raw;
        iifname "cust" ip6 saddr != { ${prefix}, fe80::/10 } counter name foreign_source drop
        ip6 daddr ${server} udp dport 4646 add @asked_from { ip6 saddr }
      }
    }`
}
