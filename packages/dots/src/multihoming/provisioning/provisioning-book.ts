import { Seconds, after, earlier } from '@breakwater/core'
import type { Duration, Instant, Machine } from '@breakwater/core'
import type { DomainName } from '../../domain/identifier.ts'
import type { LearntConfiguration } from '../../domain/learnt-configuration.ts'
import type { LocalAddress } from '../../domain/local-address.ts'
import type { Site } from '../../domain/site.ts'
import { isSpent, nextEnd } from './kept-configuration.ts'
import type { KeptConfiguration } from './kept-configuration.ts'
import { attribute } from './learn-rule.ts'
import type { AttributedConfiguration, LearnRule } from './learn-rule.ts'
import type { LearntResolver } from './learnt-resolver.ts'
import { claimsOf } from './prefix-claim.ts'
import type { JudgedClaim } from './prefix-claim.ts'
import { ProvisioningNews } from './provisioning-news.ts'
import type { ProvisioningEvent } from './provisioning-news.ts'
import { reportProvisioning } from './provisioning-report.ts'
import type { ProvisioningReport } from './provisioning-report.ts'
import { SiteMerger } from './site-merger.ts'

export type ProvisioningInput =
  /** What the operator says: at the start, and whenever the configuration is read again. */
  | { readonly kind: 'configured'; readonly site: Site; readonly rules: readonly LearnRule[] }
  | {
      readonly kind: 'learnt'
      readonly source: string
      readonly key: string
      readonly configuration: LearntConfiguration
    }
  | { readonly kind: 'withdrawn'; readonly source: string; readonly key: string }
  | { readonly kind: 'addresses'; readonly addresses: readonly LocalAddress[] }
  /** Sites are wanted from now on: what is known at the start makes one site, not one for each source. */
  | { readonly kind: 'begin' }

export type ProvisioningOutput =
  | { readonly kind: 'site'; readonly site: Site }
  /** The learnt name servers of all domains that have any. */
  | { readonly kind: 'resolvers'; readonly resolvers: ReadonlyMap<DomainName, readonly LearntResolver[]> }
  | { readonly kind: 'event'; readonly event: ProvisioningEvent }

/** A source may take back what it says and say it again, as clients do that write files anew: nobody is to notice. */
export const WITHDRAWAL_HOLD: Duration = Seconds(3)

/** From one site to the next, however much changes meanwhile. The first change after a quiet time waits for nothing. */
export const SITE_PACE: Duration = Seconds(1)

/** What stands beyond is refused: sources have limits of their own, and these could still be too many. */
export const MAXIMUM_CONFIGURATIONS = 512

/**
 * Merges what is learnt of the providers into the configured site (RFC 7556 §2, RFC 9284 §4). Explicit configuration wins;
 * what is over leaves; of two domains that claim one prefix the first has it. Every site that comes out is valid
 * (`checkSite`) if the configured one is, and differs from the one before.
 */
export class ProvisioningBook implements Machine<ProvisioningInput, ProvisioningOutput> {
  readonly #kept = new Map<string, KeptConfiguration>()
  readonly #merger = new SiteMerger()
  readonly #news = new ProvisioningNews()
  readonly #outputs: ProvisioningOutput[] = []
  #configured: Site = { domains: [], providerIndependent: [] }
  #rules: readonly LearnRule[] = []
  #addresses: readonly LocalAddress[] | undefined
  #hasBegun = false
  #judged: readonly JudgedClaim[] = []
  #told: string | undefined
  /** The next site at the earliest. */
  #paceUntil: Instant | undefined
  #nextChange: Instant | undefined

  handle(input: ProvisioningInput, now: Instant): void {
    switch (input.kind) {
      case 'configured':
        this.#configured = input.site
        this.#rules = input.rules
        // Its operator waits for what comes of it.
        this.#paceUntil = undefined
        // What was configured is no news.
        if (!this.#hasBegun) this.#news.changes(input.site)
        break
      case 'learnt':
        this.#learn(input.source, input.key, input.configuration, now)
        break
      case 'withdrawn':
        this.#withdraw(`${input.source} ${input.key}`, now)
        break
      case 'addresses':
        this.#addresses = input.addresses
        break
      case 'begin':
        this.#hasBegun = true
    }
    this.#review(now)
  }

  poll(): ProvisioningOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    return this.#nextChange
  }

  handleTimeout(now: Instant): void {
    this.#review(now)
  }

  /** Everything that is known, and what became of it. */
  report(now: Instant): ProvisioningReport {
    return reportProvisioning(
      {
        configured: this.#configured,
        rules: this.#rules,
        attributed: this.#attributed(),
        judged: this.#judged
      },
      now
    )
  }

  #learn(source: string, key: string, learnt: LearntConfiguration, now: Instant): void {
    const id = `${source} ${key}`
    if (this.#kept.has(id) || this.#kept.size < MAXIMUM_CONFIGURATIONS) {
      this.#kept.set(id, { id, source, key, learnt, at: now })
      return
    }
    const reason = `more than ${MAXIMUM_CONFIGURATIONS} configurations are known already`
    this.#outputs.push({ kind: 'event', event: { kind: 'refused', source, what: key, reason } })
  }

  #withdraw(id: string, now: Instant): void {
    const kept = this.#kept.get(id)
    if (kept === undefined || kept.goneAt !== undefined) return
    this.#kept.set(id, { ...kept, goneAt: after(now, WITHDRAWAL_HOLD) })
  }

  #attributed(): AttributedConfiguration[] {
    return [...this.#kept.values()].map((kept) => ({ kept, to: attribute(kept.learnt, this.#rules) }))
  }

  #review(now: Instant): void {
    for (const [id, kept] of this.#kept) if (isSpent(kept, now)) this.#kept.delete(id)
    if (!this.#hasBegun) return
    const attributed = this.#attributed()
    const claims = attributed.flatMap(({ kept, to }) =>
      to.kind === 'domain' && to.rule.prefixes ? claimsOf(to.rule.domain, kept, now) : []
    )
    const [configured, rules, addresses] = [this.#configured, this.#rules, this.#addresses]
    const { site, judged } = this.#merger.merge({ configured, rules, claims, addresses }, now)
    this.#judged = judged
    this.#tell(this.#news.refusals(attributed, judged))
    const resolvers = this.#news.resolvers(attributed, rules, now)
    if (resolvers !== undefined) this.#outputs.push({ kind: 'resolvers', resolvers })
    this.#tellSite(site, now)
    this.#nextChange = this.#nextEndAfter(now)
  }

  #tellSite(site: Site, now: Instant): void {
    const text = JSON.stringify(site)
    if (text === this.#told || (this.#paceUntil !== undefined && now < this.#paceUntil)) return
    this.#told = text
    this.#paceUntil = after(now, SITE_PACE)
    this.#tell(this.#news.changes(site))
    this.#outputs.push({ kind: 'site', site })
  }

  #tell(events: readonly ProvisioningEvent[]): void {
    this.#outputs.push(...events.map((event) => ({ kind: 'event', event }) as const))
  }

  #nextEndAfter(now: Instant): Instant | undefined {
    let next = this.#paceUntil !== undefined && this.#paceUntil > now ? this.#paceUntil : undefined
    for (const kept of this.#kept.values()) next = earlier(next, nextEnd(kept, now))
    return next
  }
}
