import { addressBits, ipv4, ipv6, prefixKey, prefixOf } from '@breakwater/core'
import type { Entropy, IpAddress, IpFamily, IpPrefix } from '@breakwater/core'

/**
 * `length:weight`, about as often as each length occurs in the Internet's routing tables, and the longer ones that customers
 * name.
 */
const LENGTHS: Record<IpFamily, string> = {
  4:
    '8:10 9:10 10:25 11:60 12:180 13:350 14:700 15:1200 16:8000 17:5000 18:8500 19:15000 20:26000 21:30000 ' +
    '22:66000 23:60000 24:350000 25:2000 26:3000 27:4000 28:6000 29:6000 30:3000 31:500 32:12000',
  6:
    '20:20 24:40 28:1000 29:8000 32:40000 33:4000 36:16000 40:36000 44:40000 46:8000 47:8000 48:185000 ' +
    '52:2000 56:12000 60:2000 64:18000 96:1000 128:6000'
}

const IPV4_SHARE = 0.6

/** IPv6 prefixes crowd in the blocks of providers. */
const PROVIDER_BLOCKS = 60_000

/** Prefixes and addresses as a server of many customers meets them, the same in each run. */
export class RoutingTable {
  readonly #entropy: Entropy
  readonly #lengths = { 4: accumulated(LENGTHS[4]), 6: accumulated(LENGTHS[6]) }

  constructor(entropy: Entropy) {
    this.#entropy = entropy
  }

  /** So many, none twice. */
  prefixes(count: number): IpPrefix[] {
    const found = new Map<string, IpPrefix>()
    while (found.size < count) {
      const prefix = this.#prefix()
      found.set(prefixKey(prefix), prefix)
    }
    return [...found.values()]
  }

  #prefix(): IpPrefix {
    const family = this.#chance() < IPV4_SHARE ? 4 : 6
    const { lengths, sums } = this.#lengths[family]
    const drawn = this.#chance() * (sums.at(-1) ?? 0)
    return prefixOf(this.#address(family), lengths[sums.findIndex((sum) => drawn < sum)] ?? 0)
  }

  /** Anywhere in the space that is in use. */
  address(): IpAddress {
    return this.#address(this.#chance() < IPV4_SHARE ? 4 : 6)
  }

  addressIn({ address, length }: IpPrefix): IpAddress {
    const low = (word: number, from: number): number => {
      const kept = Math.min(32, Math.max(0, length - from))
      return kept === 32 ? word : (word | (this.#entropy.uint32() >>> kept)) >>> 0
    }
    const { family, a, b, c, d } = address
    if (addressBits(family) === 32) return ipv4(low(a, 0))
    return ipv6(low(a, 0), low(b, 32), low(c, 64), low(d, 96))
  }

  #address(family: IpFamily): IpAddress {
    const uint32 = (): number => this.#entropy.uint32()
    // 1.0.0.0 … 223.255.255.255
    if (family === 4) return ipv4(0x01000000 + (uint32() % 0xdf000000))
    // In 2000::/3; multiplied by an odd number, blocks are far apart.
    const block = Math.imul(uint32() % PROVIDER_BLOCKS, 0x9e3779b1) >>> 3
    return ipv6(0x20000000 + block, uint32(), uint32(), uint32())
  }

  #chance(): number {
    return this.#entropy.uint32() / 2 ** 32
  }
}

function accumulated(text: string): { lengths: number[]; sums: number[] } {
  const pairs = text.split(' ').map((pair) => pair.split(':').map(Number))
  let sum = 0
  return {
    lengths: pairs.map(([length = 0]) => length),
    sums: pairs.map(([, weight = 0]) => (sum += weight))
  }
}
