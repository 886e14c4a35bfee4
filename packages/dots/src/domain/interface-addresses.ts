import type { LocalAddress } from './local-address.ts'

/**
 * Of each interface of this host, by its name, whether something that is up is attached to it. That it is says nothing of what
 * lies behind it.
 */
export type Carriers = ReadonlyMap<string, boolean>

/** Port: which addresses this host has, and which of its interfaces have a carrier. */
export interface InterfaceAddresses {
  /**
   * Those of all interfaces that are up, the loopback interface included. An address that may still turn out to be
   * somebody else's is none yet (RFC 4862 §5.4), unless it is optimistic.
   * Rejects with UnavailableError when the system does not tell.
   */
  read(): Promise<readonly LocalAddress[]>

  /**
   * Calls `onChange` soon after these may have changed: a link, an address, what is said of one. Not at once.
   * @param onCarriers Told once at the start, and at once whenever a carrier was lost or came back; also when nothing changed.
   * Never, where the system does not tell.
   */
  watch(onChange: () => void, onCarriers?: (carriers: Carriers) => void): AddressWatch
}

/** What watches, until it is closed. */
export interface AddressWatch {
  /** Nothing is called after this. */
  close(): Promise<void>
}
