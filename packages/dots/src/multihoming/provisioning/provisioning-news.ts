import { formatIpPrefix } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { DomainName } from '../../domain/identifier.ts'
import type { Site } from '../../domain/site.ts'
import { ofDomain } from './learn-rule.ts'
import type { AttributedConfiguration, LearnRule } from './learn-rule.ts'
import { resolversOf } from './learnt-resolver.ts'
import type { LearntResolver } from './learnt-resolver.ts'
import type { JudgedClaim } from './prefix-claim.ts'

export type ProvisioningEvent =
  /** Something that was learnt is not acted on. Told once for as long as it holds. */
  | { readonly kind: 'refused'; readonly source: string; readonly what: string; readonly reason: string }
  | {
      readonly kind: 'changed'
      readonly domain: DomainName
      /** `2001:db8:1::/56` */
      readonly gained: readonly string[]
      readonly lost: readonly string[]
    }

type Resolvers = ReadonlyMap<DomainName, readonly LearntResolver[]>

/** Tells what is new since it was asked last. */
export class ProvisioningNews {
  /** `source what` → why. */
  #refusals: ReadonlyMap<string, string> = new Map()
  #prefixes: ReadonlyMap<DomainName, ReadonlySet<string>> = new Map()
  #resolvers = '[]'

  changes(site: Site): ProvisioningEvent[] {
    const before = this.#prefixes
    this.#prefixes = new Map(
      site.domains.map(({ name, prefixes }) => [name, new Set(prefixes.map(formatIpPrefix))])
    )
    return [...this.#prefixes].flatMap(([domain, prefixes]): ProvisioningEvent[] => {
      const old = before.get(domain) ?? new Set()
      const gained = [...prefixes].filter((prefix) => !old.has(prefix))
      const lost = [...old].filter((prefix) => !prefixes.has(prefix))
      return gained.length + lost.length === 0 ? [] : [{ kind: 'changed', domain, gained, lost }]
    })
  }

  refusals(
    attributed: readonly AttributedConfiguration[],
    judged: readonly JudgedClaim[]
  ): ProvisioningEvent[] {
    const all = [
      ...attributed.flatMap(({ kept: { source, key }, to }) =>
        to.kind === 'nobody' ? [{ source, what: key, reason: to.reason }] : []
      ),
      ...judged.flatMap(({ claim: { kept, prefix, domain }, verdict }) =>
        verdict.kind === 'refused'
          ? [{ source: kept.source, what: `${formatIpPrefix(prefix)} of ${domain}`, reason: verdict.reason }]
          : []
      )
    ]
    const before = this.#refusals
    this.#refusals = new Map(all.map(({ source, what, reason }) => [`${source} ${what}`, reason]))
    return all
      .filter(({ source, what, reason }) => before.get(`${source} ${what}`) !== reason)
      .map((refusal) => ({ kind: 'refused', ...refusal }))
  }

  /** Undefined: nothing is new. */
  resolvers(
    attributed: readonly AttributedConfiguration[],
    rules: readonly LearnRule[],
    now: Instant
  ): Resolvers | undefined {
    const found = rules
      .filter(({ resolvers }) => resolvers)
      .map(({ domain }) => [domain, resolversOf(ofDomain(attributed, domain), now)] as const)
      .filter(([, resolvers]) => resolvers.length > 0)
    const text = JSON.stringify(found)
    if (text === this.#resolvers) return undefined
    this.#resolvers = text
    return new Map(found)
  }
}
