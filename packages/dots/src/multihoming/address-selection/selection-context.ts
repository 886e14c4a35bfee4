import type { IpAddress, IpPrefix } from '@breakwater/core'
import type { LocalAddress, LocalInterface } from '../../domain/local-address.ts'
import type { PolicyTable } from './policy-table.ts'

/** What a user may reverse for itself, as RFC 5014 lets an application (RFC 6724 §5, rules 4 and 7). */
export interface SelectionPreferences {
  /** Undefined: temporary addresses before public ones (rule 7). */
  readonly prefersPublic?: boolean
  /** Undefined: home addresses before care-of addresses (rule 4). */
  readonly prefersCareOf?: boolean
}

/** A network without IPv4 behind a stateless translator (RFC 6145, RFC 6052 §3.3). */
export interface StatelessTranslation {
  /** The prefixes of addresses that stand for IPv4 nodes. */
  readonly converted: readonly IpPrefix[]
  /** The prefixes of addresses of IPv6 nodes that IPv4 nodes can name. */
  readonly translatable: readonly IpPrefix[]
}

/** What selection goes by; nothing of it is kept, so that no order is older than the knowledge it is given. */
export interface SelectionContext {
  readonly locals: readonly LocalAddress[]
  readonly policy: PolicyTable
  readonly preferences?: SelectionPreferences
  readonly translation?: StatelessTranslation
}

/** Where a packet to a destination goes. Routing is done before (RFC 6724 §7). */
export interface Route {
  /** The outgoing interface. Undefined: not known, so that addresses of all interfaces count (RFC 6724 §8). */
  readonly interface?: LocalInterface
  /** The router that it is sent to. Undefined: not known, or the destination itself. */
  readonly nextHop?: IpAddress
}

/** A destination with the way that leads there. */
export interface Destination {
  readonly address: IpAddress
  /** Zone index of an address that is not of global scope (RFC 4007 §11). */
  readonly zone?: string
  readonly route: Route
  /** It is known that nothing gets there (RFC 6724 §6, rule 1). */
  readonly isUnreachable?: boolean
}
