import { ipAddressFromBytes, isOfOneHost } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import type { FactLifetime } from '@breakwater/dots'
import { isSearchDomain } from '../drop-format.ts'
import { lifetimeOfSeconds } from '../fact-lifetime.ts'
import { uint16At, uint32At } from './netlink-stream.ts'
import type { NetlinkMessage } from './netlink-stream.ts'

/** Options for users in the advertisement of a router, or why they are none. */
export type AdvertisedOption =
  | {
      readonly kind: 'names'
      readonly interfaceIndex: number
      readonly resolvers: readonly IpAddress[]
      readonly searchDomains: readonly string[]
      /** 0: they are no more (RFC 8106 §5.1, §5.2). */
      readonly valid: FactLifetime
    }
  | { readonly kind: 'malformed'; readonly interfaceIndex: number; readonly reason: string }

const RTM_NEWNDUSEROPT = 68
const ROUTER_ADVERTISEMENT = 134
const AF_INET6 = 10

/** struct nduseroptmsg: family, length of the options, interface, type and code of ICMP. */
const HEADER_BYTES = 16

const RDNSS = 25
const DNSSL = 31

/** What a message of the kernel says of name servers and search domains; undefined where it is about something else. */
export function advertisedOption({ type, body }: NetlinkMessage): AdvertisedOption | undefined {
  if (type !== RTM_NEWNDUSEROPT || body.length < HEADER_BYTES) return undefined
  if (body[0] !== AF_INET6 || body[8] !== ROUTER_ADVERTISEMENT) return undefined
  const interfaceIndex = uint32At(body, 4)
  const option = body.subarray(HEADER_BYTES, HEADER_BYTES + uint16At(body, 2))
  // The kernel tells each option in a message of its own.
  const [code, units = 0] = option
  if (code !== RDNSS && code !== DNSSL) return undefined
  const found = code === RDNSS ? serversIn(option, units) : domainsIn(option, units)
  return typeof found === 'string'
    ? { kind: 'malformed', interfaceIndex, reason: found }
    : { kind: 'names', interfaceIndex, resolvers: [], searchDomains: [], ...found, valid: lifetimeIn(option) }
}

/** RFC 8106 §5.3.1: three units at least, two for each address. A text: why it is discarded. */
function serversIn(option: Buffer, units: number): { readonly resolvers: IpAddress[] } | string {
  if (units < 3 || units % 2 === 0 || option.length !== units * 8)
    return `an option with name servers has ${option.length} bytes`
  const resolvers: IpAddress[] = []
  for (let at = 8; at < option.length; at += 16)
    resolvers.push(ipAddressFromBytes(option.subarray(at, at + 16)))
  return resolvers.every(isOfOneHost) ? { resolvers } : 'an address of a name server is no host’s'
}

/** RFC 8106 §5.3.1: two units at least. A text: why it is discarded. */
function domainsIn(option: Buffer, units: number): { readonly searchDomains: string[] } | string {
  if (units < 2 || option.length !== units * 8)
    return `an option with a search list has ${option.length} bytes`
  const searchDomains = namesIn(option.subarray(8))
  return searchDomains === undefined ? 'a search list names what is no domain' : { searchDomains }
}

/** RFC 8106 §5.2: labels as in RFC 1035 §3.1, never compressed, with zeros behind. Undefined: it is anything else. */
function namesIn(bytes: Buffer): string[] | undefined {
  const found: string[] = []
  let labels: string[] = []
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at] ?? 0
    const label = bytes.subarray(at + 1, at + 1 + length)
    if (length > 63 || label.length < length) return undefined
    at += 1 + length
    if (length > 0) labels.push(label.toString('latin1'))
    else {
      if (labels.length > 0) found.push(labels.join('.'))
      labels = []
    }
  }
  return labels.length === 0 && found.length > 0 && found.every(isSearchDomain) ? found : undefined
}

/** Of the network, hence in its byte order, unlike all around it. */
function lifetimeIn(option: Buffer): FactLifetime {
  return lifetimeOfSeconds(option.readUInt32BE(4))
}
