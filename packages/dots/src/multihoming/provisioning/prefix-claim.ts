import { formatIpPrefix, hostPrefix, prefixContains, prefixKey, prefixesOverlap } from '@breakwater/core'
import type { Instant, IpPrefix } from '@breakwater/core'
import type { DomainName } from '../../domain/identifier.ts'
import type { FactLifetime } from '../../domain/learnt-configuration.ts'
import type { Site } from '../../domain/site.ts'
import { classifiedPrefixes, describeClass } from '../address-class.ts'
import type { AddressClass } from '../address-class.ts'
import { endOf, isOver } from './kept-configuration.ts'
import type { End, KeptConfiguration } from './kept-configuration.ts'
import { unlearnable } from './learnable-prefix.ts'
import type { Unlearnable } from './learnable-prefix.ts'

/** A prefix or address that a source says a domain assigned. */
export interface PrefixClaim {
  readonly domain: DomainName
  readonly prefix: IpPrefix
  readonly kept: KeptConfiguration
  readonly valid: End
  readonly preferred: End
}

/** What becomes of a claim. */
export type ClaimVerdict =
  /** It is a prefix of the site. */
  | { readonly kind: 'taken' }
  /** The configuration says so, too, or more. */
  | { readonly kind: 'configured' }
  /** Nothing is wrong with it, and it is no prefix that a server could protect. */
  | { readonly kind: 'private' }
  | { readonly kind: 'refused'; readonly reason: string }

/** A claim with what becomes of it. */
export interface JudgedClaim {
  readonly claim: PrefixClaim
  readonly verdict: ClaimVerdict
}

/** So many prefixes of one domain are learnt; who has more writes them into the configuration. */
export const MAXIMUM_LEARNT_PREFIXES = 64

/** What still holds of what a source says a domain assigned. */
export function claimsOf(domain: DomainName, kept: KeptConfiguration, now: Instant): PrefixClaim[] {
  const { learnt, at } = kept
  const claim = (prefix: IpPrefix, valid: FactLifetime, preferred: FactLifetime): PrefixClaim => {
    return { domain, prefix, kept, valid: endOf(at, valid), preferred: endOf(at, preferred) }
  }
  const all = [
    ...learnt.prefixes.map(({ prefix, valid, preferred }) => claim(prefix, valid, preferred)),
    ...learnt.addresses.map(({ address, valid, preferred }) => claim(hostPrefix(address), valid, preferred))
  ]
  const unique = new Map(all.map((each) => [prefixKey(each.prefix), each]))
  return [...unique.values()].filter(({ valid }) => !isOver(valid, now))
}

/**
 * Decides claims in their order, the senior one first. A prefix has one owner (RFC 9284 §5.1): what overlaps a prefix of
 * anybody else is refused, or a provider could draw requests about its rivals' customers to itself by a longer match.
 */
export function judgeClaims(site: Site, claims: readonly PrefixClaim[]): JudgedClaim[] {
  const configured = classifiedPrefixes(site)
  const taken: PrefixClaim[] = []
  return claims.map((claim) => {
    const verdict = judge(claim, configured, site.internal ?? [], taken)
    if (verdict.kind === 'taken') taken.push(claim)
    return { claim, verdict }
  })
}

function judge(
  claim: PrefixClaim,
  configured: readonly { readonly prefix: IpPrefix; readonly class: AddressClass }[],
  internal: readonly IpPrefix[],
  taken: readonly PrefixClaim[]
): ClaimVerdict {
  const { prefix, domain } = claim
  const fault = unlearnable(prefix)
  if (fault !== undefined) return fault === 'private' ? { kind: 'private' } : refused(faultText(fault))
  const touching = configured.filter((each) => prefixesOverlap(each.prefix, prefix))
  const foreign = touching.find((each) => !isOwn(each.class, domain))
  // Explicit configuration wins over whatever is learnt.
  if (foreign !== undefined)
    return refused(
      `${formatIpPrefix(foreign.prefix)} is ${describeClass(foreign.class)}, as the configuration says`
    )
  const inside = internal.find((each) => prefixesOverlap(each, prefix))
  if (inside !== undefined) return refused(`${formatIpPrefix(inside)} is used inside of the site only`)
  if (touching.some((each) => prefixContains(each.prefix, prefix))) return { kind: 'configured' }
  const rival = taken.find((each) => each.domain !== domain && prefixesOverlap(each.prefix, prefix))
  if (rival !== undefined)
    return refused(
      `${formatIpPrefix(rival.prefix)} is of ${rival.domain}, who had it first (${rival.kept.learnt.origin})`
    )
  const own = taken.filter((each) => each.domain === domain).length
  if (own >= MAXIMUM_LEARNT_PREFIXES)
    return refused(`no more than ${MAXIMUM_LEARNT_PREFIXES} prefixes of one domain are learnt`)
  return { kind: 'taken' }
}

function isOwn(addressClass: AddressClass, domain: DomainName): boolean {
  return addressClass.kind === 'pa' && addressClass.domain === domain
}

function faultText(fault: Exclude<Unlearnable, 'private'>): string {
  return fault === 'too-large'
    ? 'it is larger than what a site is given; the configuration may name it'
    : 'no provider assigns such addresses'
}

function refused(reason: string): ClaimVerdict {
  return { kind: 'refused', reason }
}
