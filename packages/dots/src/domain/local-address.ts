import type { IpAddress } from '@breakwater/core'

/** An interface, as far as address selection asks. */
export interface LocalInterface {
  readonly name: string
  /** Interfaces to the same link have the same. Undefined: a link of its own. */
  readonly link?: string
  /** Interfaces within the same site (RFC 4007) have the same. Undefined: the one of all that say nothing. */
  readonly site?: string
  /**
   * It sends on what came in by others, so that its addresses may go out by others. A loopback interface whose global
   * addresses are to be used counts as one (RFC 6724 §4).
   */
  readonly isForwarding?: boolean
  /** What is sent there goes on inside other packets: 6rd, ISATAP, a configured tunnel (RFC 6724 §6, rule 7). */
  readonly isEncapsulating?: boolean
}

/** RFC 4862 §5.5.4; optimistic: its uniqueness is still being verified (RFC 4429). */
export type AddressState = 'preferred' | 'deprecated' | 'optimistic'

/**
 * RFC 6724 §3.5. `at-home`: home address and care-of address at once, as every address of a host that does not move.
 */
export type Mobility = 'at-home' | 'home' | 'care-of'

/** An address of this host. */
export interface LocalAddress {
  readonly address: IpAddress
  /** Of the prefix that the interface has it from. */
  readonly prefixLength: number
  readonly interface: LocalInterface
  /** Undefined: preferred. */
  readonly state?: AddressState
  /** RFC 8981. Undefined: a public address. */
  readonly isTemporary?: boolean
  /** Undefined: at home. */
  readonly mobility?: Mobility
  /** Routers that advertised its prefix. Undefined: nobody knows. */
  readonly advertisedBy?: readonly IpAddress[]
}
