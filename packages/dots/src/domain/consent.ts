import type { IpPrefix, WallTime } from '@breakwater/core'
import type { DomainName } from './identifier.ts'

/**
 * The administrator's word that servers of one domain may hear of another's prefixes (RFC 9284 §6). Without one, nothing
 * about a domain reaches servers of another.
 */
export interface Consent {
  readonly name: string
  /** Whose prefixes. */
  readonly of: DomainName
  /** Whose servers may hear of them. */
  readonly to: DomainName
  readonly prefixes: readonly IpPrefix[]
  /** Who gave it, for people. */
  readonly givenBy: string
  /** It holds from here on, and not before. */
  readonly from: WallTime
  /** From here on it is none. */
  readonly until: WallTime
}

/** Whether a consent holds at a moment of the calendar; where nobody knows the time, none does. */
export function holds(consent: Consent, at: WallTime | undefined): boolean {
  return at !== undefined && consent.from <= at && at < consent.until
}

/** The next moment at which one of these begins or ends; undefined: none does. */
export function nextConsentChange(consents: readonly Consent[], at: WallTime): WallTime | undefined {
  const later = consents.flatMap(({ from, until }) => [from, until]).filter((moment) => moment > at)
  return later.length === 0 ? undefined : later.reduce((first, next) => (next < first ? next : first))
}
