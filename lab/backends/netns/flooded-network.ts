import type { Act } from '../../scenarios/flooded-link-world.ts'
import { Namespace } from './namespace.ts'

/** Addresses of one host, IPv6 first. */
export type DualStack = readonly [ipv6: string, ipv4: string]

/** The customers' end and the provider's end of the access links; each act has addresses of its own at both. */
export interface FloodedNetwork {
  readonly home: Namespace
  readonly isp: Namespace
  /** Of the customers of an act. */
  sourcesOf(act: number): DualStack
  /** Where the provider's servers await them. */
  serversOf(act: number): DualStack
  /** From now on datagrams are lost as the acts say. */
  flood(acts: readonly Act[]): Promise<void>
  /** The flood on one customer's socket is over. */
  relieve(sockets: readonly { readonly address: string; readonly port: number }[]): Promise<void>
  /** Nothing is lost any more. */
  calm(): Promise<void>
  destroy(): Promise<void>
}

function sourcesOf(act: number): DualStack {
  return [`2001:db8:1::${(act + 2).toString(16)}`, `198.51.100.${act + 2}`]
}

function serversOf(act: number): DualStack {
  return [`2001:db8:2::${(act + 2).toString(16)}`, `192.0.2.${act + 2}`]
}

export async function buildFloodedNetwork(acts: number): Promise<FloodedNetwork> {
  const tag = `bwf${process.pid.toString(36)}`
  const home = await Namespace.create(`${tag}-home`)
  const isp = await Namespace.create(`${tag}-isp`).catch(async (error: unknown) => {
    await home.destroy()
    throw error
  })
  const destroy = async (): Promise<void> => {
    await Promise.all([home.destroy(), isp.destroy()])
  }
  try {
    await home.ip([`link add name wan type veth peer name cust netns ${isp.name}`])
    const numbers = Array.from({ length: acts }, (_, act) => act)
    await home.ip([
      'link set dev lo up',
      'link set dev wan up',
      ...numbers.flatMap((act) => added(sourcesOf(act), 'wan')),
      'route add 192.0.2.0/24 dev wan',
      'route add 2001:db8:2::/64 dev wan'
    ])
    await isp.ip([
      'link set dev lo up',
      'link set dev cust up',
      ...numbers.flatMap((act) => added(serversOf(act), 'cust')),
      'route add 198.51.100.0/24 dev cust',
      'route add 2001:db8:1::/64 dev cust'
    ])
    // Else several segments of a flight would be one packet here, and be lost together.
    for (const [end, device] of [
      [home, 'wan'],
      [isp, 'cust']
    ] as const)
      await end.exec(['ethtool', '-K', device, 'tso', 'off', 'gso', 'off', 'gro', 'off'])
    return {
      home,
      isp,
      sourcesOf,
      serversOf,
      flood: (all) => flood(home, isp, all),
      relieve: (sockets) => relieve(home, sockets),
      calm: async () => {
        await Promise.all([home, isp].map((end) => end.nft('delete table inet link\n')))
      },
      destroy
    }
  } catch (error) {
    await destroy()
    throw error
  }
}

/** The host itself: others of its network are asked for on the link. */
function added([ipv6, ipv4]: DualStack, device: string): readonly string[] {
  return [`addr add ${ipv6}/128 dev ${device}`, `addr add ${ipv4}/32 dev ${device}`]
}

/** What finds neighbours is no part of the story. */
const ONLY_TRANSPORTS = 'meta l4proto != { tcp, udp } accept'

function eachFamily(
  [ipv6, ipv4]: DualStack,
  rule: (family: 'ip' | 'ip6', address: string) => string
): readonly string[] {
  return [rule('ip6', ipv6), rule('ip', ipv4)]
}

function drop(part: number): string {
  return `numgen random mod 1000 < ${Math.round(part * 1000)} counter drop`
}

/** Lost where they arrive: a sender would be told of what is dropped on its own machine. */
async function flood(home: Namespace, isp: Namespace, acts: readonly Act[]): Promise<void> {
  const towardsClient = acts.flatMap(({ flood: { lossTowardsClient } }, act) =>
    eachFamily(sourcesOf(act), (family, address) => `${family} daddr ${address} ${drop(lossTowardsClient)}`)
  )
  const towardsServer = acts.flatMap(({ flood: { lossTowardsServer } }, act) =>
    eachFamily(sourcesOf(act), (family, address) => `${family} saddr ${address} ${drop(lossTowardsServer)}`)
  )
  await home.nft(`
    table inet link {
      set relieved { type ipv4_addr . inet_service; }
      chain arriving {
        type filter hook prerouting priority raw;
        ${ONLY_TRANSPORTS}
        ip daddr . udp dport @relieved accept
        ${towardsClient.join('\n        ')}
      }
    }`)
  await isp.nft(`
    table inet link {
      chain arriving {
        type filter hook prerouting priority raw;
        ${ONLY_TRANSPORTS}
        ${towardsServer.join('\n        ')}
      }
    }`)
}

async function relieve(
  home: Namespace,
  sockets: readonly { readonly address: string; readonly port: number }[]
): Promise<void> {
  const elements = sockets.map(({ address, port }) => `${address} . ${port}`)
  await home.nft(`add element inet link relieved { ${elements.join(', ')} }\n`)
}
