import { Milliseconds, after, between, formatIpAddress } from '@breakwater/core'
import type { Instant, IpAddress } from '@breakwater/core'
import { LEARNT_LIMITS } from '@breakwater/dots'
import type { FactLifetime, LearntHost, LearntSearchDomain } from '@breakwater/dots'
import { isInterfaceName } from '../drop-format.ts'
import { advertisedOption } from './advertised-option.ts'
import type { AdvertisedOption } from './advertised-option.ts'
import { linkMessage } from './link-message.ts'
import type { LinkMessage } from './link-message.ts'
import type { NetlinkMessage } from './netlink-stream.ts'

/** What routers of one link name. */
export interface NamesOfLink {
  readonly resolvers: readonly LearntHost[]
  readonly searchDomains: readonly LearntSearchDomain[]
}

/** What became of a message: something else is true now, or it was refused. */
export type NamesNews =
  | { readonly kind: 'changed' }
  | { readonly kind: 'refused'; readonly via: string; readonly reason: string }
  | undefined

type End = Instant | 'never'

interface Link {
  name: string
  readonly resolvers: Map<string, { readonly address: IpAddress; readonly end: End }>
  readonly searchDomains: Map<string, { readonly end: End }>
}

/** More interfaces do not learn from advertisements; others are let be. */
const MOST_LINKS = 4096

/**
 * The name servers and search domains that routers advertise (RFC 8106), by link, from the messages of the kernel. Whoever says
 * one again sets its lifetime, and a lifetime of 0 ends it, whichever router of the link says so (§6.1). They go with their
 * link.
 */
export class AdvertisedNames {
  readonly #links = new Map<number, Link>()

  take(message: NetlinkMessage, now: Instant): NamesNews {
    const link = linkMessage(message)
    if (link !== undefined) return this.#takeLink(link)
    const option = advertisedOption(message)
    return option === undefined ? undefined : this.#takeOption(option, now)
  }

  /** What holds at the moment, by interface, with what is left of it. */
  known(now: Instant): ReadonlyMap<string, NamesOfLink> {
    const found = new Map<string, NamesOfLink>()
    for (const { name, resolvers, searchDomains } of this.#links.values()) {
      forgetOver(resolvers, now)
      forgetOver(searchDomains, now)
      if (resolvers.size + searchDomains.size === 0) continue
      found.set(name, {
        resolvers: [...resolvers.values()].map(({ address, end }) => ({ address, valid: leftOf(end, now) })),
        searchDomains: [...searchDomains].map(([domain, { end }]) => ({
          name: domain,
          valid: leftOf(end, now)
        }))
      })
    }
    return found
  }

  #takeLink({ index, name, isUp, isGone }: LinkMessage): NamesNews {
    if (!isInterfaceName(name)) return undefined
    const known = this.#links.get(index)
    const hasNames = known !== undefined && known.resolvers.size + known.searchDomains.size > 0
    if (isGone) this.#links.delete(index)
    else if (known === undefined || !isUp) {
      if (known !== undefined || this.#links.size < MOST_LINKS)
        this.#links.set(index, { name, resolvers: new Map(), searchDomains: new Map() })
    } else if (known.name === name) return undefined
    else known.name = name
    return hasNames ? { kind: 'changed' } : undefined
  }

  #takeOption(option: AdvertisedOption, now: Instant): NamesNews {
    const link = this.#links.get(option.interfaceIndex)
    if (link === undefined) return undefined
    if (option.kind === 'malformed') return { kind: 'refused', via: link.name, reason: option.reason }
    const end: End = option.valid === 'unlimited' ? 'never' : after(now, option.valid)
    const isOver = option.valid === Milliseconds(0)
    let left = 0
    for (const address of option.resolvers)
      left += put(link.resolvers, formatIpAddress(address), isOver ? undefined : { address, end }, {
        most: LEARNT_LIMITS.resolvers,
        now
      })
    for (const domain of option.searchDomains)
      left += put(link.searchDomains, domain.toLowerCase(), isOver ? undefined : { end }, {
        most: LEARNT_LIMITS.searchDomains,
        now
      })
    return left === 0
      ? { kind: 'changed' }
      : { kind: 'refused', via: link.name, reason: 'routers name more than is kept of a link' }
  }
}

/** @returns 1 where there was no room for it. */
function put<Entry extends { readonly end: End }>(
  entries: Map<string, Entry>,
  key: string,
  entry: Entry | undefined,
  { most, now }: { readonly most: number; readonly now: Instant }
): number {
  if (entry === undefined) entries.delete(key)
  else {
    if (!entries.has(key) && entries.size >= most) forgetOver(entries, now)
    if (!entries.has(key) && entries.size >= most) return 1
    entries.set(key, entry)
  }
  return 0
}

function forgetOver(entries: Map<string, { readonly end: End }>, now: Instant): void {
  for (const [key, { end }] of entries) if (end !== 'never' && end <= now) entries.delete(key)
}

function leftOf(end: End, now: Instant): FactLifetime {
  return end === 'never' ? 'unlimited' : between(now, end)
}
