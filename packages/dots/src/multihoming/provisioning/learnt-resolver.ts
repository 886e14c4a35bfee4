import { equalIpAddresses, isLoopback, isOfOneHost } from '@breakwater/core'
import type { Instant, IpAddress } from '@breakwater/core'
import { endOf, isOver } from './kept-configuration.ts'
import type { KeptConfiguration } from './kept-configuration.ts'

/** A recursive name server that a provider names. */
export interface LearntResolver {
  readonly address: IpAddress
  /** Where it was learnt; an address of the link means nothing without it. */
  readonly interface?: string
}

/** More are not asked. */
const MAXIMUM_RESOLVERS = 8

/** What speaks against an address as a name server, whoever says so: it would be no provider's. */
export function unusableResolver(address: IpAddress): string | undefined {
  if (isLoopback(address)) return 'it is this host itself'
  return isOfOneHost(address) ? undefined : 'no host has such an address'
}

/** Those of one domain that hold, each once, who was said first first. */
export function resolversOf(kept: readonly KeptConfiguration[], now: Instant): LearntResolver[] {
  const found: LearntResolver[] = []
  for (const { learnt, at } of kept)
    for (const { address, valid } of learnt.resolvers) {
      const isKnown = found.some((each) => equalIpAddresses(each.address, address))
      if (isKnown || isOver(endOf(at, valid), now) || unusableResolver(address) !== undefined) continue
      const via = learnt.interface
      found.push(via === undefined ? { address } : { address, interface: via })
    }
  return found.slice(0, MAXIMUM_RESOLVERS)
}
