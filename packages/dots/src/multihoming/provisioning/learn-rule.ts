import type { DomainName } from '../../domain/identifier.ts'
import type { LearntConfiguration, LearntOrigin } from '../../domain/learnt-configuration.ts'
import type { KeptConfiguration } from './kept-configuration.ts'

/** What one domain may learn, as its operator says. */
export interface LearnRule {
  readonly domain: DomainName
  /** The interfaces that it learns from; empty: only what names the domain is its own. */
  readonly interfaces: readonly string[]
  readonly from: ReadonlySet<LearntOrigin>
  readonly prefixes: boolean
  /** False where the operator chose resolvers: explicit configuration wins. */
  readonly resolvers: boolean
}

/** The domains that may get prefixes which the configuration does not know. */
export function prefixLearners(rules: readonly LearnRule[]): ReadonlySet<DomainName> {
  return new Set(rules.filter(({ prefixes }) => prefixes).map(({ domain }) => domain))
}

/** Whose a configuration is, or why it is nobody's. */
export type Attribution =
  | { readonly kind: 'domain'; readonly rule: LearnRule }
  | { readonly kind: 'nobody'; readonly reason: string }

/** A configuration with whose it is. */
export interface AttributedConfiguration {
  readonly kept: KeptConfiguration
  readonly to: Attribution
}

/** Those of one domain. */
export function ofDomain(
  attributed: readonly AttributedConfiguration[],
  domain: DomainName
): KeptConfiguration[] {
  return attributed.flatMap(({ kept, to }) =>
    to.kind === 'domain' && to.rule.domain === domain ? [kept] : []
  )
}

/**
 * RFC 7556 §2: what came by an interface is of the domain behind it. Who names a domain must not say what its interface
 * belies: one provider must not speak for another.
 */
export function attribute(learnt: LearntConfiguration, rules: readonly LearnRule[]): Attribution {
  const { domain, interface: via, origin } = learnt
  if (domain !== undefined) {
    const rule = rules.find((each) => each.domain === domain)
    if (rule === undefined) return nobody(`no domain ${domain} of this site learns anything`)
    if (!rule.from.has(origin)) return nobody(`${domain} does not learn from ${origin}`)
    const isBelied = via !== undefined && rule.interfaces.length > 0 && !rule.interfaces.includes(via)
    return isBelied ? nobody(`${domain} does not learn from ${via}`) : { kind: 'domain', rule }
  }
  if (via === undefined) return nobody('it names neither a domain nor an interface')
  const found = rules.filter(({ interfaces, from }) => interfaces.includes(via) && from.has(origin))
  const [rule, another] = found
  if (rule === undefined) return nobody(`no domain learns from ${origin} on ${via}`)
  if (another !== undefined) {
    const names = found.map((each) => each.domain).join(' and ')
    return nobody(`${names} learn from ${origin} on ${via}: only what names its domain can be told apart`)
  }
  return { kind: 'domain', rule }
}

function nobody(reason: string): Attribution {
  return { kind: 'nobody', reason }
}
