import { after, earlier } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { LearntConfiguration, FactLifetime } from '../../domain/learnt-configuration.ts'

/** A moment of the monotonic clock: a step of the calendar neither ends nor prolongs what was learnt. */
export type End = Instant | 'never'

/** A configuration that was learnt, with the moment from which its lifetimes run. */
export interface KeptConfiguration {
  /** `source key`: unique. */
  readonly id: string
  readonly source: string
  readonly key: string
  readonly learnt: LearntConfiguration
  readonly at: Instant
  /** Its source does not say it any more; until then it may say so again. Undefined: it still does. */
  readonly goneAt?: Instant
}

/** When a fact that was told at `at` is over. */
export function endOf(at: Instant, lifetime: FactLifetime): End {
  return lifetime === 'unlimited' ? 'never' : after(at, lifetime)
}

/** Whether it has come. */
export function isOver(end: End, now: Instant): boolean {
  return end !== 'never' && end <= now
}

/** The next moment at which something in it ends; undefined: nothing does. */
export function nextEnd({ at, learnt, goneAt }: KeptConfiguration, now: Instant): Instant | undefined {
  const lifetimes = [
    ...factsOf(learnt).map(({ valid }) => valid),
    ...[...learnt.prefixes, ...learnt.addresses].map(({ preferred }) => preferred)
  ]
  const ends: End[] = [...lifetimes.map((lifetime) => endOf(at, lifetime)), goneAt ?? 'never']
  return ends
    .filter((end): end is Instant => end !== 'never' && !isOver(end, now))
    .reduce<Instant | undefined>((next, end) => earlier(next, end), undefined)
}

/** Nothing of it holds any more. An empty one never did, and stays for as long as its source says it. */
export function isSpent({ at, learnt, goneAt }: KeptConfiguration, now: Instant): boolean {
  if (goneAt !== undefined && goneAt <= now) return true
  const facts = factsOf(learnt)
  return facts.length > 0 && facts.every(({ valid }) => isOver(endOf(at, valid), now))
}

function factsOf({ prefixes, addresses, resolvers, gateways, searchDomains }: LearntConfiguration): readonly {
  readonly valid: FactLifetime
}[] {
  return [...prefixes, ...addresses, ...resolvers, ...gateways, ...searchDomains]
}
