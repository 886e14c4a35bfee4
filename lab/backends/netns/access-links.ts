import { type AccessLink, type Topology, providerOf } from '../../multihomed/topology.ts'
import type { CapturedSource, LinkWeather } from '../../multihomed/world.ts'
import type { MultihomedNetwork } from './multihomed-network.ts'
import { namedCounterIn } from './nft-listing.ts'

/** An element of the set that a provider writes down sources in. */
interface SetElement {
  readonly elem: {
    readonly val: { readonly concat: readonly [device: string, source: string] }
    readonly counter: { readonly packets: number }
  }
}

/** The links between a site and its providers: their weather, and what went over them. */
export class AccessLinks {
  readonly #topology: Topology
  readonly #network: MultihomedNetwork

  constructor(topology: Topology, network: MultihomedNetwork) {
    this.#topology = topology
    this.#network = network
  }

  async setWeather(provider: string, weather: LinkWeather, interfaceName?: string): Promise<void> {
    const isp = this.#network.namespace(provider)
    const links = this.#network.linksTo(provider)
    const devices = links.filter((link) => (interfaceName ?? link.interface) === link.interface).map(deviceOf)
    if (weather === 'silent') await isp.nft(outage(devices))
    if (weather === 'cut') await isp.ip(devices.map((device) => `link set dev ${device} down`))
    if (weather !== 'clear') return
    await isp.nft(NO_OUTAGE)
    await isp.ip([
      ...devices.map((device) => `link set dev ${device} up`),
      ...this.#network.customerRoutes(providerOf(this.#topology, provider))
    ])
  }

  /** The provider with all that is in it. */
  async setProvider(provider: string, weather: 'cut' | 'clear'): Promise<void> {
    const devices = this.#network.linksTo(provider).map(deviceOf)
    await this.#network.namespace(provider).nft(weather === 'cut' ? outage([...devices, 'core']) : NO_OUTAGE)
  }

  async foreignSourceDrops(): Promise<number> {
    const counts = this.#topology.providers.map(async ({ name }) => {
      const command = 'nft -j list counters table inet ingress'.split(' ')
      return namedCounterIn(await this.#network.namespace(name).exec(command), 'foreign_source')
    })
    return Number((await Promise.all(counts)).reduce((sum, count) => sum + count, 0n))
  }

  async captured(): Promise<readonly CapturedSource[]> {
    const all = this.#topology.providers.map(async ({ name }) => {
      const command = 'nft -j list set inet ingress dots_sources'.split(' ')
      const listed = JSON.parse(await this.#network.namespace(name).exec(command)) as {
        readonly nftables: readonly { readonly set?: { readonly elem?: readonly SetElement[] } }[]
      }
      const elements = listed.nftables.flatMap(({ set }) => set?.elem ?? [])
      return elements.map(({ elem: { val, counter } }) => {
        const [device, source] = val.concat
        const { packets } = counter
        return { link: Number(device.replace('cust', '')), provider: name, source, packets }
      })
    })
    return (await Promise.all(all)).flat()
  }

  async stray(cpe: string): Promise<void> {
    const [wrong, own] = this.#network.linksFrom(cpe)
    if (wrong === undefined || own === undefined) throw new RangeError(`${cpe} has one link only`)
    const namespace = this.#network.namespace(cpe)
    const rule = `pref 50 from ${own.cpeAddress} lookup ${100 + wrong.number}`
    await namespace.ip([`rule add ${rule}`])
    await namespace.exec([process.execPath, '-e', SEND, own.cpeAddress, wrong.edge])
    await namespace.ip([`rule del ${rule}`])
  }
}

/** One datagram to a DOTS port, from an address to another. */
const SEND = `
  const socket = require('node:dgram').createSocket('udp4')
  const [source, destination] = process.argv.slice(1)
  socket.bind(0, source, () => socket.send('x', 4646, destination, () => socket.close()))`

function deviceOf({ number }: AccessLink): string {
  return `cust${number}`
}

/** Packets vanish in both directions; carriers stay. Behind the ingress filter, which counts all the same. */
function outage(devices: readonly string[]): string {
  const names = devices.map((device) => `"${device}"`).join(', ')
  return `
    table inet outage {
      chain prerouting { type filter hook prerouting priority mangle; iifname { ${names} } drop; }
      chain postrouting { type filter hook postrouting priority mangle; oifname { ${names} } drop; }
    }`
}

/** nft deletes only what is there: so it is made first. */
const NO_OUTAGE = 'table inet outage\ndelete table inet outage\n'
