import { formatIpPrefix, prefixContains, prefixContainsAddress } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { prefix } from '../addressing.ts'
import type { Chance } from '../chance.ts'
import type { DomainPlan } from './multihomed-scenario.ts'
import { classPrefixes, longer, pieceOf } from './random-network.ts'
import type { Network } from './random-network.ts'

/** Wide requests that stand by at the servers of some domains for the loss of the signal. */
export function withSafetyNets(chance: Chance, network: Network): Network {
  const domains = network.domains.map((domain, number): DomainPlan => {
    const own = candidates(network, domain, number)
    if (domain.servers === 0 || own.length === 0 || !chance.happens(0.3)) return domain
    const standing = chance.someOf(own, chance.oneOf([1, 1, 2])).map((text) => {
      const whole = prefix(text)
      const piece = formatIpPrefix(pieceOf(chance, whole, longer(whole, 1)))
      const isPiece = chance.happens(0.5) && isFirstOwn(network, piece, whole)
      return { prefix: isPiece ? piece : text, lifetimeSeconds: chance.oneOf([300, 900, 1800]) }
    })
    return { ...domain, standing }
  })
  return { ...network, domains }
}

/** What a domain may be asked to protect. */
function candidates(network: Network, { kind, prefixes, protects }: DomainPlan, number: number): string[] {
  const announced = network.providerIndependent
    .filter(({ domains }) => domains === 'all' || domains.includes(number))
    .map((each) => each.prefix)
  const own =
    kind === 'access' ? [...prefixes, ...announced] : protects.filter((text) => isInside(text, announced))
  return own.filter((text) => isFirstOwn(network, text, prefix(text)))
}

/** Pieces of it may be another domain's, but not the first one, by which a configuration is checked. */
function isFirstOwn(network: Network, text: string, { length }: IpPrefix): boolean {
  const { address } = prefix(text)
  const inside = classPrefixes(network)
    .map(prefix)
    .filter((other) => other.length > length)
  return !inside.some((other) => prefixContainsAddress(other, address))
}

function isInside(text: string, others: readonly string[]): boolean {
  return others.some((other) => prefixContains(prefix(other), prefix(text)))
}
