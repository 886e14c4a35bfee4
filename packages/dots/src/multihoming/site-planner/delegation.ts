import { formatIpPrefix, prefixContains } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { DomainName } from '../../domain/identifier.ts'
import type { Holding } from './holding.ts'
import { RequesterShare } from './requester-share.ts'
import { LINK_PREFIX_LENGTH, canDelegate, delegatedBlock, fanOut } from './subnet-id.ts'
import type { SiteRouter, SiteTopology } from './topology.ts'

/** Why a router gets nothing from a block of another. `loop`: it delegated that block, or what it is a part of. */
export type RefusedBecause = 'fan-out' | 'depth' | 'limit' | 'loop'

export interface RefusedDelegation {
  readonly router: string
  readonly root: string
  /** The block asked of; undefined: the provider was asked. */
  readonly delegating: Holding | undefined
  readonly because: RefusedBecause
}

export interface Delegations {
  /** By router, in the order of the topology; within a router in the order in which it got them. */
  readonly holdings: readonly Holding[]
  readonly refused: readonly RefusedDelegation[]
}

interface Offer {
  readonly from: Holding
  readonly router: string
}

/**
 * Delegates the prefixes of all providers through the site, as recursive prefix delegation (RFC 8415) with the subnet ids
 * of draft-ohira would: shorter blocks first, so that every router gets its best one first.
 */
export function delegate(topology: SiteTopology): Delegations {
  return new DelegationRun(topology).run()
}

class DelegationRun {
  readonly #topology: SiteTopology
  readonly #shares: ReadonlyMap<string, RequesterShare>
  readonly #offers: Offer[][] = Array.from({ length: LINK_PREFIX_LENGTH + 1 }, () => [])
  /** Blocks that a router gave away: it takes nothing that lies inside. */
  readonly #given = new Map<string, IpPrefix[]>()
  readonly #served = new Map<Holding, number>()
  readonly #refused: RefusedDelegation[] = []
  #arrivals = 0

  constructor(topology: SiteTopology) {
    this.#topology = topology
    this.#shares = new Map(
      topology.routers.map(({ name }) => [name, new RequesterShare(rootsAbove(topology, name))])
    )
  }

  run(): Delegations {
    for (const router of this.#topology.routers) this.#takeFromProviders(router)
    for (const offers of this.#offers)
      for (const { name } of this.#topology.routers) this.#settle(name, offers)
    return { holdings: [...this.#shares.values()].flatMap(({ held }) => held), refused: this.#refused }
  }

  #takeFromProviders({ name }: SiteRouter): void {
    for (const { domain, prefix, router } of globalPrefixes(this.#topology)) {
      if (router !== name) continue
      const root = formatIpPrefix(prefix)
      const arrival = this.#arrivals++
      const holding = {
        router,
        domain,
        root,
        block: prefix,
        from: undefined,
        rank: 0,
        arrival,
        isShortened: false
      }
      if (!this.#give(holding)) this.#refused.push({ router, root, delegating: undefined, because: 'limit' })
    }
  }

  /** Gives a router one offer after another, the one of highest priority first. */
  #settle(router: string, offers: readonly Offer[]): void {
    const share = this.#shares.get(router)
    if (share === undefined) return
    const left = offers.filter((offer) => offer.router === router)
    for (;;) {
      const best = left.toSorted((x, y) => priorityOf(x, share) - priorityOf(y, share))[0]
      if (best === undefined) return
      left.splice(left.indexOf(best), 1)
      this.#answer(best, share)
    }
  }

  #answer({ from, router }: Offer, share: RequesterShare): void {
    const refuse = (because: RefusedBecause): void => {
      this.#refused.push({ router, root: from.root, delegating: from, because })
    }
    const { delegatingBits } = this.#topology
    const given = this.#given.get(router) ?? []
    if (given.some((block) => prefixContains(block, from.block))) return refuse('loop')
    if (!canDelegate(from.block, delegatingBits)) return refuse('depth')
    const index = (this.#served.get(from) ?? 0) + 1
    if (index > fanOut(delegatingBits)) return refuse('fan-out')
    const block = delegatedBlock(from.block, delegatingBits, index)
    const { domain, root } = from
    const arrival = this.#arrivals++
    const rank = share.countOf(root)
    if (!this.#give({ router, domain, root, block, from, rank, arrival, isShortened: false }))
      return refuse('limit')
    this.#served.set(from, index)
    this.#given.set(from.router, [...(this.#given.get(from.router) ?? []), block])
  }

  /** Lets a router have a block, and offers it to those who ask there. */
  #give(holding: Holding): boolean {
    if (this.#shares.get(holding.router)?.take(holding) !== true) return false
    const length = Math.min(holding.block.length + this.#topology.delegatingBits, LINK_PREFIX_LENGTH)
    for (const { name, requestsFrom } of this.#topology.routers)
      if (requestsFrom.includes(holding.router)) this.#offers[length]?.push({ from: holding, router: name })
    return true
  }
}

/** Lower is better: the first block of a global prefix, then one of a router that gave none yet; the rest is arrival. */
function priorityOf({ from }: Offer, share: RequesterShare): number {
  return 2 * share.countOf(from.root) + (share.isNewDelegator(from.root, from.router) ? 0 : 1)
}

/** An IPv6 prefix of a provider that links can be numbered from. */
export interface GlobalPrefix {
  readonly domain: DomainName
  readonly prefix: IpPrefix
  /** The first router with an exit to the provider: it gets the prefix, and others ask for it. */
  readonly router: string | undefined
}

export function globalPrefixes({ site, routers }: SiteTopology): GlobalPrefix[] {
  return site.domains.flatMap(({ name, prefixes }) => {
    const router = routers.find(({ exits }) => exits.includes(name))?.name
    return prefixes
      .filter(({ address, length }) => address.family === 6 && length <= LINK_PREFIX_LENGTH)
      .map((prefix) => ({ domain: name, prefix, router }))
  })
}

/** The global prefixes that can come to a router, directly or through others. */
export function rootsAbove(topology: SiteTopology, name: string): string[] {
  const above = new Set<string | undefined>([name])
  for (const each of above)
    for (const asked of topology.routers.find((router) => router.name === each)?.requestsFrom ?? [])
      above.add(asked)
  return globalPrefixes(topology)
    .filter(({ router }) => router !== undefined && above.has(router))
    .map(({ prefix }) => formatIpPrefix(prefix))
}
