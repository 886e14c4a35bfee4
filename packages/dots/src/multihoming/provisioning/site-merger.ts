import type { Instant } from '@breakwater/core'
import type { LocalAddress } from '../../domain/local-address.ts'
import type { Site } from '../../domain/site.ts'
import { checkSite } from '../check-site.ts'
import { withoutAbsent } from './absent-prefixes.ts'
import { LapsedPrefixes } from './lapsed-prefixes.ts'
import { prefixLearners } from './learn-rule.ts'
import type { LearnRule } from './learn-rule.ts'
import { learntSite } from './learnt-site.ts'
import { judgeClaims } from './prefix-claim.ts'
import type { JudgedClaim, PrefixClaim } from './prefix-claim.ts'
import { Seniority } from './seniority.ts'

/** What a site is merged from. */
export interface MergeInput {
  /** `checkSite` has nothing against it, but for prefixes that are to be learnt (`withoutAbsent`). */
  readonly configured: Site
  readonly rules: readonly LearnRule[]
  /** What still holds, in any order. */
  readonly claims: readonly PrefixClaim[]
  /** Undefined: the system did not say yet. */
  readonly addresses: readonly LocalAddress[] | undefined
}

/** Makes sites of what is configured and learnt; it remembers who was first, and what is over. */
export class SiteMerger {
  readonly #seniority = new Seniority()
  readonly #lapsed = new LapsedPrefixes()

  /** A site that is valid, and what became of each claim; what would make it invalid is refused. */
  merge(input: MergeInput, now: Instant): { readonly site: Site; readonly judged: readonly JudgedClaim[] } {
    const ordered = this.#seniority.inOrder(input.claims)
    const firstTry = judgeClaims(input.configured, ordered)
    const isValid = checkSite(this.#siteOf(input, firstTry, now)).length === 0
    const judged = isValid ? firstTry : this.#judgeOneByOne(input, firstTry, now)
    this.#lapsed.follow(takenOf(judged).map(({ prefix }) => prefix))
    // What has just lapsed takes its addresses along.
    return { site: this.#siteOf(input, judged, now), judged }
  }

  #siteOf({ configured, rules, addresses }: MergeInput, judged: readonly JudgedClaim[], now: Instant): Site {
    const parts = { taken: takenOf(judged), addresses, lapsed: this.#lapsed.list() }
    return withoutAbsent(learntSite(configured, parts, now), prefixLearners(rules))
  }

  /** The slow way, for what only the whole site shows: the claim that brings a problem is refused. */
  #judgeOneByOne(input: MergeInput, judged: readonly JudgedClaim[], now: Instant): JudgedClaim[] {
    const accepted: JudgedClaim[] = []
    const before = checkSite(this.#siteOf(input, accepted, now)).length
    for (const each of judged) {
      const problems = checkSite(this.#siteOf(input, [...accepted, each], now))
      const isHarmful = each.verdict.kind === 'taken' && problems.length > before
      const reason = problems.map(({ message }) => message).join('; ')
      accepted.push(isHarmful ? { ...each, verdict: { kind: 'refused', reason } } : each)
    }
    return accepted
  }
}

function takenOf(judged: readonly JudgedClaim[]): PrefixClaim[] {
  return judged.filter(({ verdict }) => verdict.kind === 'taken').map(({ claim }) => claim)
}
