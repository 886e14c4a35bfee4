import { Code, OptionNumber, findOption, uintValue } from '@breakwater/coap'
import type { CoapResponse } from '@breakwater/coap'
import { BreakwaterError, Minutes, Seconds, after, parseIpAddress } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'
import type { AlternatePaths, AlternateServer } from '../../multihoming/alternate-paths.ts'

/** Where a server sends us, and for how long (RFC 9132 §4.6). */
export interface Redirect {
  readonly alternate: AlternateServer
  readonly ttlSeconds: number
}

/** RFC 9132 §4.6: until the alternate sends us elsewhere. */
const INFINITE_TTL = 2 ** 32 - 1

/** RFC 7252 §5.10.5: what Max-Age is when it is not there. */
const DEFAULT_TTL = 60

/** RFC 9132 §4.6: who is sent to a server that it has talked to within this time goes round in circles. */
const LOOP_SPAN: Duration = Minutes(5)

/** The redirect in a response; undefined when it is none. */
export function readRedirect(response: CoapResponse): Redirect | undefined {
  if (response.code !== Code.serviceUnavailable || response.payload.length === 0) return undefined
  try {
    const body = decodeSignal(response.payload).redirectedSignal
    if (body === undefined) return undefined
    // RFC 6125 §6.4.1: names are compared without regard to case.
    const referenceName = body.altServer.toLowerCase()
    const addresses = (body.altServerRecord ?? []).flatMap((text) => parseIpAddress(text) ?? [])
    const maxAge = findOption(response.options, OptionNumber.maxAge)
    const ttlSeconds = maxAge === undefined ? DEFAULT_TTL : uintValue(maxAge.value)
    return { alternate: { referenceName, addresses }, ttlSeconds }
  } catch (error) {
    if (error instanceof BreakwaterError) return undefined
    throw error
  }
}

/** When the client last talked to which server, over all its sessions. */
export class RecentContacts {
  readonly #at = new Map<string, Instant>()
  readonly #live: () => Iterable<readonly [referenceName: string, heardAt: Instant]>

  /** @param live The sessions of now. */
  constructor(live: () => Iterable<readonly [referenceName: string, heardAt: Instant]>) {
    this.#live = live
  }

  talked(referenceName: string, now: Instant): void {
    this.#at.set(referenceName, now)
  }

  isRecent(referenceName: string, now: Instant): boolean {
    for (const [name, at] of this.#at) if (now - at > LOOP_SPAN) this.#at.delete(name)
    if (this.#at.has(referenceName)) return true
    for (const [name, heardAt] of this.#live())
      if (name === referenceName && now - heardAt <= LOOP_SPAN) return true
    return false
  }
}

export interface RedirectionOptions {
  readonly contacts: RecentContacts
  readonly pathsTo: (alternate: AlternateServer) => AlternatePaths
  /** There is somebody to ask what the name of an alternate means. Default false. */
  readonly resolvesNames?: () => boolean
}

export type RedirectDecision =
  | { readonly kind: 'follow'; readonly paths: AlternatePaths & { readonly ok: true } }
  /** Where that is has to be asked first. */
  | { readonly kind: 'resolve' }
  /** `reason` is for the operator. */
  | { readonly kind: 'refuse'; readonly reason: string }

/** Which alternate stands in for a provisioned server, and until when (RFC 9132 §4.6). */
export class Redirection {
  readonly #options: RedirectionOptions
  #following: { readonly alternate: AlternateServer; readonly until: Instant | undefined } | undefined

  constructor(options: RedirectionOptions) {
    this.#options = options
  }

  /** Name of the alternate in use; undefined: the provisioned server. */
  get alternate(): string | undefined {
    return this.#following?.alternate.referenceName
  }

  /** Whether to go there. */
  decide({ alternate, ttlSeconds }: Redirect, isUnderAttack: boolean, now: Instant): RedirectDecision {
    // RFC 9132 §4.6: 0 is for the request in progress, and then over.
    if (ttlSeconds === 0 && !isUnderAttack)
      return { kind: 'refuse', reason: 'it is for no time, and no attack is on' }
    if (this.#options.contacts.isRecent(alternate.referenceName, now))
      return { kind: 'refuse', reason: 'a loop: we talked to it, or tried to, within the last five minutes' }
    if (alternate.addresses.length === 0 && this.#options.resolvesNames?.() === true)
      return { kind: 'resolve' }
    return this.#follow(alternate, ttlSeconds, now)
  }

  /** Goes there, now that it is known where that is. */
  arrive({ alternate, ttlSeconds }: Redirect, now: Instant): RedirectDecision {
    return this.#follow(alternate, ttlSeconds, now)
  }

  #follow(alternate: AlternateServer, ttlSeconds: number, now: Instant): RedirectDecision {
    const paths = this.#options.pathsTo(alternate)
    if (!paths.ok) return { kind: 'refuse', reason: paths.reason }
    const until = ttlSeconds === INFINITE_TTL ? undefined : after(now, Seconds(ttlSeconds))
    this.#following = { alternate, until }
    return { kind: 'follow', paths }
  }

  /** What the site of now makes of the alternate in use; undefined: there is none. */
  reconsider(): AlternatePaths | undefined {
    return this.#following === undefined ? undefined : this.#options.pathsTo(this.#following.alternate)
  }

  /** When the provisioned server's turn comes again; undefined: it has it, or the alternate stays. */
  nextTimeout(isUnderAttack: boolean): Instant | undefined {
    return isUnderAttack ? undefined : this.#following?.until
  }

  /** The provisioned server's turn. */
  end(): void {
    this.#following = undefined
  }
}
