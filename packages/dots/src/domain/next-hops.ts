import type { IpAddress } from '@breakwater/core'

/** Which way packets go: the ends of a path, and the interface that its sockets are bound to, if they are. */
export interface NextHopQuestion {
  readonly destination: IpAddress
  readonly source: IpAddress
  readonly interface: string | undefined
}

/** A router that packets are handed to. */
export interface NextHop {
  readonly address: IpAddress
  /** The interface that it is reached by; an IPv6 router's address means nothing without it. */
  readonly interface: string
}

/** Port: to which router this host hands packets. It sends nothing. */
export interface NextHops {
  /**
   * The next hop of a path, whatever rules and tables decide it. Undefined: there is none, because the destination is on the link
   * or cannot be reached, or the system does not tell. Never rejects.
   */
  of(question: NextHopQuestion): Promise<NextHop | undefined>
}
