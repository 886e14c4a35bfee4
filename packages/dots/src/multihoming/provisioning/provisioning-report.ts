import { between, formatIpAddress, formatIpPrefix, inSeconds } from '@breakwater/core'
import type { Instant, IpAddress } from '@breakwater/core'
import type { DomainName } from '../../domain/identifier.ts'
import type { LearntOrigin } from '../../domain/learnt-configuration.ts'
import type { ProvisioningDomain, Site } from '../../domain/site.ts'
import { endOf, isOver } from './kept-configuration.ts'
import type { End, KeptConfiguration } from './kept-configuration.ts'
import { ofDomain } from './learn-rule.ts'
import type { AttributedConfiguration, LearnRule } from './learn-rule.ts'
import { claimsOf } from './prefix-claim.ts'
import type { ClaimVerdict, JudgedClaim, PrefixClaim } from './prefix-claim.ts'
import { unusableResolver } from './learnt-resolver.ts'

/** A piece of configuration with where it comes from and what became of it. */
export interface FactReport {
  readonly kind: 'prefix' | 'resolver' | 'gateway' | 'search-domain'
  /** `2001:db8:1::/56`, `203.0.113.53`, `isp-a.example`. */
  readonly text: string
  readonly origin: LearntOrigin | 'configuration'
  /** Undefined: whoever said it does not know. */
  readonly interface?: string
  /** Who said it; undefined: the configuration. */
  readonly source?: string
  /** Undefined: until it is withdrawn. */
  readonly validSeconds?: number
  /** Of a prefix; 0: deprecated. Undefined: as long as it is valid. */
  readonly preferredSeconds?: number
  /**
   * `used`: the client acts on it. `noted`: it is shown, and nothing depends on it. `refused`: `reason` says why.
   */
  readonly state: 'used' | 'noted' | 'refused'
  readonly reason?: string
}

/** What one domain has. */
export interface DomainReport {
  readonly domain: DomainName
  readonly kind: 'access' | 'service'
  readonly interfaces: readonly string[]
  /** Undefined: it learns nothing. */
  readonly learnsFrom?: readonly LearntOrigin[]
  readonly facts: readonly FactReport[]
}

/** What no domain may learn. */
export interface UnclaimedReport {
  readonly source: string
  readonly key: string
  readonly origin: LearntOrigin
  readonly interface?: string
  readonly reason: string
}

export interface ProvisioningReport {
  readonly domains: readonly DomainReport[]
  readonly unclaimed: readonly UnclaimedReport[]
}

/** What is known, as the book has it. */
export interface KnownProvisioning {
  readonly configured: Site
  readonly rules: readonly LearnRule[]
  readonly attributed: readonly AttributedConfiguration[]
  readonly judged: readonly JudgedClaim[]
}

/** Every domain as it stands, what was configured first; and what is nobody's. */
export function reportProvisioning(known: KnownProvisioning, now: Instant): ProvisioningReport {
  const unclaimed = known.attributed.flatMap(({ kept: { source, key, learnt }, to }) => {
    if (to.kind === 'domain') return []
    const { origin, interface: via } = learnt
    return [{ source, key, origin, ...(via === undefined ? {} : { interface: via }), reason: to.reason }]
  })
  return { domains: known.configured.domains.map((domain) => reportDomain(domain, known, now)), unclaimed }
}

function reportDomain(
  { name, kind, interfaces, prefixes }: ProvisioningDomain,
  { rules, attributed, judged }: KnownProvisioning,
  now: Instant
): DomainReport {
  const rule = rules.find(({ domain }) => domain === name)
  const own = prefixes.map((prefix): FactReport => {
    return { kind: 'prefix', text: formatIpPrefix(prefix), origin: 'configuration', state: 'used' }
  })
  if (rule === undefined) return { domain: name, kind, interfaces, facts: own }
  const kept = ofDomain(attributed, name)
  const claims = rule.prefixes
    ? judged
        .filter(({ claim }) => claim.domain === name)
        .map(({ claim, verdict }) => reportClaim(claim, standingOf(verdict), now))
    : kept
        .flatMap((each) => claimsOf(name, each, now))
        .map((claim) => reportClaim(claim, { state: 'noted', reason: 'the domain learns no prefixes' }, now))
  const others = kept.flatMap((each) => otherFacts(each, rule, now))
  return { domain: name, kind, interfaces, learnsFrom: [...rule.from], facts: [...own, ...claims, ...others] }
}

type Standing = Pick<FactReport, 'state' | 'reason'>

function reportClaim(
  { kept, prefix, valid, preferred }: PrefixClaim,
  standing: Standing,
  now: Instant
): FactReport {
  const preferredSeconds = secondsUntil(preferred, now)
  return {
    kind: 'prefix',
    text: formatIpPrefix(prefix),
    ...sourceOf(kept),
    ...lifetimeOf(valid, now),
    ...(preferredSeconds === undefined ? {} : { preferredSeconds }),
    ...standing
  }
}

function standingOf(verdict: ClaimVerdict): Standing {
  switch (verdict.kind) {
    case 'taken':
      return { state: 'used' }
    case 'configured':
      return { state: 'noted', reason: 'the configuration says so, too' }
    case 'private':
      return { state: 'noted', reason: 'private: no server can protect it' }
    case 'refused':
      return { state: 'refused', reason: verdict.reason }
  }
}

function otherFacts(kept: KeptConfiguration, rule: LearnRule, now: Instant): FactReport[] {
  const { resolvers, gateways, searchDomains } = kept.learnt
  const noted: Standing = { state: 'noted' }
  const all = [
    ...resolvers.map(
      ({ address, valid }) =>
        ({
          kind: 'resolver',
          text: formatIpAddress(address),
          valid,
          standing: resolverStanding(address, rule)
        }) as const
    ),
    ...gateways.map(
      ({ address, valid }) =>
        ({ kind: 'gateway', text: formatIpAddress(address), valid, standing: noted }) as const
    ),
    ...searchDomains.map(
      ({ name, valid }) => ({ kind: 'search-domain', text: name, valid, standing: noted }) as const
    )
  ]
  return all
    .map(({ valid, ...fact }) => ({ ...fact, end: endOf(kept.at, valid) }))
    .filter(({ end }) => !isOver(end, now))
    .map(({ kind, text, end, standing }) => {
      return { kind, text, ...sourceOf(kept), ...lifetimeOf(end, now), ...standing }
    })
}

function resolverStanding(address: IpAddress, { resolvers }: LearnRule): Standing {
  const fault = unusableResolver(address)
  if (fault !== undefined) return { state: 'refused', reason: fault }
  return resolvers ? { state: 'used' } : { state: 'noted', reason: 'the domain learns no resolvers' }
}

function sourceOf({
  source,
  learnt
}: KeptConfiguration): Pick<FactReport, 'origin' | 'interface' | 'source'> {
  const { origin, interface: via } = learnt
  return { origin, source, ...(via === undefined ? {} : { interface: via }) }
}

function lifetimeOf(end: End, now: Instant): Pick<FactReport, 'validSeconds'> {
  const validSeconds = secondsUntil(end, now)
  return validSeconds === undefined ? {} : { validSeconds }
}

function secondsUntil(end: End, now: Instant): number | undefined {
  return end === 'never' ? undefined : Math.max(0, Math.round(inSeconds(between(now, end))))
}
