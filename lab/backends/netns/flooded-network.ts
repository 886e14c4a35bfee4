import type { Act } from '../../scenarios/flooded-link-world.ts'
import { Namespace } from './namespace.ts'

/** The customers' end and the provider's end of the access links; each act has an address of its own. */
export interface FloodedNetwork {
  readonly home: Namespace
  readonly isp: Namespace
  readonly server: string
  addressOf(act: number): string
  /** From now on datagrams are lost as the acts say. */
  flood(acts: readonly Act[]): Promise<void>
  /** The flood on one customer's socket is over. */
  relieve(sockets: readonly { readonly address: string; readonly port: number }[]): Promise<void>
  destroy(): Promise<void>
}

const SERVER = '192.0.2.1'

function addressOf(act: number): string {
  return `198.51.100.${act + 2}`
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
    const addresses = Array.from({ length: acts }, (_, act) => addressOf(act))
    await home.ip([
      'link set dev lo up',
      'link set dev wan up',
      ...addresses.map((address) => `addr add ${address}/24 dev wan`),
      `route add ${SERVER}/32 dev wan`
    ])
    await isp.ip([
      'link set dev lo up',
      'link set dev cust up',
      `addr add ${SERVER}/32 dev cust`,
      'route add 198.51.100.0/24 dev cust'
    ])
    return {
      home,
      isp,
      server: SERVER,
      addressOf,
      flood: (all) => flood(home, isp, all),
      relieve: (sockets) => relieve(home, sockets),
      destroy
    }
  } catch (error) {
    await destroy()
    throw error
  }
}

function drop(part: number): string {
  return `numgen random mod 1000 < ${Math.round(part * 1000)} counter drop`
}

/** Lost where they arrive: a sender would be told of what is dropped on its own machine. */
async function flood(home: Namespace, isp: Namespace, acts: readonly Act[]): Promise<void> {
  const towardsClient = acts.map(
    ({ flood: { lossTowardsClient } }, act) => `ip daddr ${addressOf(act)} ${drop(lossTowardsClient)}`
  )
  const towardsServer = acts.map(
    ({ flood: { lossTowardsServer } }, act) => `ip saddr ${addressOf(act)} ${drop(lossTowardsServer)}`
  )
  await home.nft(`
    table inet link {
      set relieved { type ipv4_addr . inet_service; }
      chain arriving {
        type filter hook prerouting priority raw;
        ip daddr . udp dport @relieved accept
        ${towardsClient.join('\n        ')}
      }
    }`)
  await isp.nft(`
    table inet link {
      chain arriving {
        type filter hook prerouting priority raw;
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
