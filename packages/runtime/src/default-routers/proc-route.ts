import { fromHex, ipAddressFromBytes } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import type { RankedRouter } from './ip-route.ts'

/** Both must be set: the route is up, and leads to a router (linux/route.h). */
const UP_AND_GATEWAY = 0x3

/** Reads `/proc/net/route`: the main IPv4 table, words in the byte order of the machine, which is little-endian. */
export function routersOfProcRoute(text: string): RankedRouter[] {
  return rows(text).flatMap((columns) => {
    const [name = '', destination, gateway = '', flags = '', , , metric = '', mask] = columns
    if (destination !== '00000000' || mask !== '00000000' || !leadsToRouter(flags)) return []
    const address = addressOf(gateway, 4)
    return address === undefined ? [] : [{ interface: name, address, metric: Number(metric) }]
  })
}

/** Reads `/proc/net/ipv6_route`: the IPv6 routes, in network byte order. */
export function routersOfProcIpv6Route(text: string): RankedRouter[] {
  return rows(text).flatMap((columns) => {
    const [destination = '', length, , , nextHop = '', metric = '', , , flags = '', name = ''] = columns
    if (!/^0{32}$/.test(destination) || length !== '00' || !leadsToRouter(flags)) return []
    const address = addressOf(nextHop, 16)
    return address === undefined ? [] : [{ interface: name, address, metric: Number.parseInt(metric, 16) }]
  })
}

function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/))
}

function leadsToRouter(flags: string): boolean {
  return (Number.parseInt(flags, 16) & UP_AND_GATEWAY) === UP_AND_GATEWAY
}

function addressOf(hex: string, bytes: 4 | 16): IpAddress | undefined {
  if (!new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`).test(hex)) return undefined
  const read = fromHex(hex)
  return ipAddressFromBytes(bytes === 4 ? read.toReversed() : read)
}
