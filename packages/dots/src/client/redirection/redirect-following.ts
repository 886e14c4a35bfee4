import type { CoapResponse } from '@breakwater/coap'
import type { Instant, IpAddress } from '@breakwater/core'
import type { LegalPaths } from '../../multihoming/legal-path.ts'
import type { AssociationOutput } from '../association-io.ts'
import { isAboutSession } from '../session/errand.ts'
import type { Errand } from '../session/errand.ts'
import { PendingRedirect } from './pending-redirect.ts'
import type { SentAway } from './pending-redirect.ts'
import { Redirection } from './redirection.ts'
import type { Redirect, RedirectDecision, RedirectionOptions } from './redirection.ts'

/** What is told of redirects, and whom names are asked of. */
export type RedirectNews = Extract<
  AssociationOutput,
  { readonly kind: 'redirected' | 'resolve' | 'redirect-refused' | 'alternate-unreachable' }
>

/** How it stands with the server that we were sent to last. */
export interface RedirectReport {
  readonly alternate: string
  readonly state: 'standing-in' | 'unreachable' | 'refused'
  /** Why it does not stand in. */
  readonly reason: string
}

export interface RedirectFollowingOptions extends RedirectionOptions {
  /** Ways to the provisioned server. */
  readonly provisioned: LegalPaths
  readonly isUnderAttack: () => boolean
  readonly tell: (news: RedirectNews) => void
  /** The session goes to these paths now, and nowhere else. */
  readonly move: (paths: LegalPaths, now: Instant) => void
  /** The 5.03 by which this errand was sent away is its answer after all. */
  readonly answer: (errand: Errand, response: CoapResponse, now: Instant) => void
}

/**
 * - `followed`: the session goes there, and what was asked is asked there;
 * - `waiting`: where that is, is being asked for;
 * - `stayed`: the redirect is an answer like any other.
 */
export type RedirectOutcome = 'followed' | 'waiting' | 'stayed'

/**
 * The way of one association to a stand-in of its server and back (RFC 9132 §4.6). `Redirection` decides; here is carried
 * out what follows for the session, for what was asked, and for who watches.
 */
export class RedirectFollowing {
  readonly #options: RedirectFollowingOptions
  readonly #redirection: Redirection
  readonly #pending = new PendingRedirect()
  #provisioned: LegalPaths
  /** We were sent to where we could not go, and nobody has served us since. */
  #trouble: RedirectReport | undefined

  constructor(options: RedirectFollowingOptions) {
    this.#options = options
    this.#redirection = new Redirection(options)
    this.#provisioned = options.provisioned
  }

  /** Other ways lead to the provisioned server now. @returns whether they are the ones to use. */
  provision(paths: LegalPaths): boolean {
    this.#provisioned = paths
    return this.#redirection.alternate === undefined
  }

  /**
   * The site has changed. @returns the ways that are legal now, to whichever server is to be asked; undefined: the alternate
   * is not to be reached by any, and the session has been moved to the provisioned server.
   */
  reprovision(paths: LegalPaths, now: Instant): LegalPaths | undefined {
    this.#provisioned = paths
    const stillLegal = this.#redirection.reconsider()
    if (stillLegal === undefined) return paths
    if (stillLegal.ok) return stillLegal.paths
    this.#refused(this.#redirection.alternate ?? '', stillLegal.reason)
    this.#end(now)
    return undefined
  }

  /** Undefined: nobody sends us anywhere. */
  get report(): RedirectReport | undefined {
    const { alternate } = this.#redirection
    if (this.#trouble !== undefined || alternate === undefined) return this.#trouble
    return { alternate, state: 'standing-in', reason: '' }
  }

  nextTimeout(): Instant | undefined {
    return this.#redirection.nextTimeout(this.#options.isUnderAttack())
  }

  handleTimeout(now: Instant): void {
    const endsAt = this.nextTimeout()
    if (endsAt !== undefined && endsAt <= now) this.#end(now)
  }

  /** @param from Name of the server that sent us away. */
  sentAway(redirect: Redirect, sentAway: SentAway, from: string, now: Instant): RedirectOutcome {
    this.#options.contacts.talked(from, now)
    const decision = this.#redirection.decide(redirect, this.#options.isUnderAttack(), now)
    if (decision.kind !== 'resolve') return this.#move(redirect, decision, now)
    const name = redirect.alternate.referenceName
    if (this.#pending.wait(redirect, sentAway)) this.#options.tell({ kind: 'resolve', name })
    return 'waiting'
  }

  /** Where the alternate is has become known, or that nobody knows. */
  resolved(name: string, addresses: readonly IpAddress[], now: Instant): void {
    const found = this.#pending.resolved(name, addresses)
    if (found === undefined) return
    const { redirect, sentAway } = found
    if (this.#move(redirect, this.#redirection.arrive(redirect, now), now) === 'followed') return
    for (const { errand, response } of sentAway)
      if (!isAboutSession(errand)) this.#options.answer(errand, response, now)
  }

  /** There is no session any more, and nobody waits for an answer. */
  sessionDown(): void {
    this.#pending.forget()
  }

  /** Somebody did what we asked. */
  served(): void {
    this.#trouble = undefined
  }

  /**
   * Nobody was to be reached. An alternate of which that is true is no stand-in, however long it was to be one: the
   * provisioned server is asked again, though it will send us there once more. RFC 9132 §4.6 lets us follow no sooner
   * than in five minutes, which bounds what a dead alternate costs.
   */
  unreachable(reason: string, now: Instant): void {
    const { alternate } = this.#redirection
    if (alternate === undefined) return
    this.#options.contacts.talked(alternate, now)
    this.#trouble = { alternate, state: 'unreachable', reason }
    this.#options.tell({ kind: 'alternate-unreachable', alternate, reason })
    this.#end(now)
  }

  #move({ alternate }: Redirect, decision: RedirectDecision, now: Instant): RedirectOutcome {
    const { referenceName } = alternate
    if (decision.kind === 'follow') {
      this.#options.tell({ kind: 'redirected', alternate: referenceName })
      this.#options.move(decision.paths.paths, now)
      return 'followed'
    }
    if (decision.kind === 'refuse') this.#refused(referenceName, decision.reason)
    return 'stayed'
  }

  #refused(alternate: string, reason: string): void {
    this.#options.tell({ kind: 'redirect-refused', alternate, reason })
    // That it could not be reached says more than that it is too early to try again.
    const isKnown = this.#trouble?.state === 'unreachable' && this.#trouble.alternate === alternate
    if (!isKnown) this.#trouble = { alternate, state: 'refused', reason }
  }

  /** RFC 9132 §4.6: back to the provisioned server when the time is over, but not during an attack. */
  #end(now: Instant): void {
    this.#redirection.end()
    this.#options.tell({ kind: 'redirected', alternate: undefined })
    this.#options.move(this.#provisioned, now)
  }
}
