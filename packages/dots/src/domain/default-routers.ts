import type { IpAddress } from '@breakwater/core'

/** A router that sends on what this host has no better way for. */
export interface DefaultRouter {
  /** The interface that it is reached by; an IPv6 router's address means nothing without it. */
  readonly interface: string
  readonly address: IpAddress
}

/** Port: which default routers this host has. */
export interface DefaultRouters {
  /**
   * Those of all interfaces, whatever routing table says so; of one interface and family the preferred one first.
   * Rejects with UnavailableError when the system does not tell.
   */
  read(): Promise<readonly DefaultRouter[]>
}
