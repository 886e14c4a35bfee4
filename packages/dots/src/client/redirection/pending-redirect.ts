import type { CoapResponse } from '@breakwater/coap'
import type { IpAddress } from '@breakwater/core'
import type { Errand } from '../session/errand.ts'
import { errandKey } from '../session/errand.ts'
import { MOST_FOUND_ADDRESSES } from '../../multihoming/found-address.ts'
import type { Redirect } from './redirection.ts'

/** What was asked, and answered by sending us away. */
export interface SentAway {
  readonly errand: Errand
  readonly response: CoapResponse
}

/**
 * A redirect to a server of which only the name was told (RFC 9132 §4.6): its addresses are asked for. Meanwhile what was
 * asked has no answer; where the name leads nowhere, the 5.03 is it after all.
 */
export class PendingRedirect {
  #pending: { readonly redirect: Redirect; readonly sentAway: Map<string, SentAway> } | undefined

  /** @returns whether the name has to be asked for: it is not being asked for already. */
  wait(redirect: Redirect, sentAway: SentAway): boolean {
    const isNew = this.#pending?.redirect.alternate.referenceName !== redirect.alternate.referenceName
    const held = this.#pending?.sentAway ?? new Map<string, SentAway>()
    held.set(errandKey(sentAway.errand), sentAway)
    this.#pending = { redirect, sentAway: held }
    return isNew
  }

  /** What the name means is known, or that nobody knows it: the redirect with its addresses, and who waited for it. */
  resolved(
    referenceName: string,
    addresses: readonly IpAddress[]
  ): { readonly redirect: Redirect; readonly sentAway: readonly SentAway[] } | undefined {
    const pending = this.#pending
    if (pending?.redirect.alternate.referenceName !== referenceName) return undefined
    this.#pending = undefined
    const alternate = { referenceName, addresses: addresses.slice(0, MOST_FOUND_ADDRESSES) }
    return { redirect: { ...pending.redirect, alternate }, sentAway: [...pending.sentAway.values()] }
  }

  /** The session is gone, and with it what was asked. */
  forget(): void {
    this.#pending = undefined
  }
}
