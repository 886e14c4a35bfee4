import {
  type IpAddress,
  type IpPrefix,
  type Transport,
  parseIpAddress,
  parseIpPrefix,
  prefixContains
} from '@breakwater/core'
import {
  type ClientDomain,
  type Cuid,
  DomainName,
  type ProtectionRequest,
  ProtectionId,
  ServerName,
  type Site,
  parseCuid
} from '@breakwater/dots'

/**
 * What the agents of `flooded-link` know of each other, the same on every backend. There are as many customers as there
 * are runs, numbered from 0: number n has the prefix 10.(n / 256).(n % 256).0/24, of which the host .7 is attacked.
 */

export const serverName = 'dots.isp.example'
export const serverPort = 4646
export const domainName: DomainName = DomainName('isp')

/** How a customer proves to be who it is: the name in its certificate, or its PSK identity. */
export function customerName(number: number): string {
  return `customer-${number}.example`
}

export function customerOf(identity: string): number {
  return Number(/^customer-(\d+)\./.exec(identity)?.[1] ?? Number.NaN)
}

export function cuidOfCustomer(number: number): Cuid {
  const cuid = parseCuid(`customer-${number}`)
  if (cuid === undefined) throw new RangeError('no cuid')
  return cuid
}

export function addressOf(text: string): IpAddress {
  const address = parseIpAddress(text)
  if (address === undefined) throw new RangeError(`${text} is no address`)
  return address
}

function prefixOf(number: number, host: string): IpPrefix {
  const prefix = parseIpPrefix(`10.${number >> 8}.${number & 255}.${host}`)
  if (prefix === undefined) throw new RangeError(`${number} is no number of a customer`)
  return prefix
}

/** Where the agents are. */
export interface Place {
  readonly sources: readonly string[]
  readonly servers: readonly string[]
  readonly transports: readonly Transport[]
}

/** A customer as its operator configured it. */
export function siteOfCustomer(number: number, { sources, servers, transports }: Place): Site {
  const server = {
    name: ServerName(domainName),
    domain: domainName,
    referenceName: serverName,
    addresses: servers.map(addressOf),
    port: serverPort,
    transports
  }
  return {
    domains: [
      {
        name: domainName,
        kind: 'access',
        interfaces: [],
        prefixes: [prefixOf(number, '0/24')],
        sources: sources.map(addressOf),
        servers: [server]
      }
    ],
    providerIndependent: []
  }
}

/** The same customer as the provider knows it. */
export function clientDomainOf(number: number): ClientDomain {
  return {
    name: `customer-${number}`,
    dnsNames: [customerName(number)],
    pskIdentities: [customerName(number)],
    prefixes: [prefixOf(number, '0/24')]
  }
}

/** What the customer asks for when the flood hits it. */
export function protectionOf(number: number): ProtectionRequest {
  return {
    id: ProtectionId(`p-${number}`),
    target: { prefixes: [prefixOf(number, '7/32')], ports: [], protocols: [17] },
    lifetime: 3600,
    allowPartial: false,
    require: 'all'
  }
}

/** Whether a customer may ask for these targets, by the plan above and not by anybody's code. */
export function isEntitled(number: number, targets: readonly string[]): boolean {
  const own = prefixOf(number, '0/24')
  return targets.every((target) => {
    const prefix = parseIpPrefix(target)
    // Ports and protocols come as words.
    return prefix === undefined || prefixContains(own, prefix)
  })
}
