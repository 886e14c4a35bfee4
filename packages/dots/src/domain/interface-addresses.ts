import type { LocalAddress } from './local-address.ts'

/** Port: which addresses this host has. */
export interface InterfaceAddresses {
  /**
   * Those of all interfaces that are up, the loopback interface included. An address that may still turn out to be
   * somebody else's is none yet (RFC 4862 §5.4), unless it is optimistic.
   * Rejects with UnavailableError when the system does not tell.
   */
  read(): Promise<readonly LocalAddress[]>

  /** Calls `onChange` soon after these may have changed: a link, an address, what is said of one. Not at once. */
  watch(onChange: () => void): AddressWatch
}

export interface AddressWatch {
  /** `onChange` is not called after this. */
  close(): Promise<void>
}
