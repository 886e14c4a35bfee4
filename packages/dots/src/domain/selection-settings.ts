import type { IpPrefix } from '@breakwater/core'

/** One row of the policy table of RFC 6724 §2.1. */
export interface PolicyRow {
  /** An IPv4 prefix means its IPv4-mapped form. */
  readonly prefix: IpPrefix
  /** Destinations of a higher precedence come first. */
  readonly precedence: number
  /** A source is preferred for destinations of its own label. */
  readonly label: number
  /** Of a prefix that is not of global scope: matches addresses of this zone only. */
  readonly zone?: string
}

/** What an administrator may override of address selection (RFC 6724 §2). */
export interface SelectionSettings {
  /** In place of the default policy table. Undefined: that one. */
  readonly policy?: readonly PolicyRow[]
  /** The Automatic Row Additions flag. Undefined: rows are added for the site's own prefixes. */
  readonly automaticRows?: boolean
  /** The Privacy Preference flag. Undefined: temporary addresses are preferred. */
  readonly prefersPublic?: boolean
}
