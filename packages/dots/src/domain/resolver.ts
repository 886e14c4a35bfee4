import type { IpAddress } from '@breakwater/core'

/**
 * A name that is watched is asked for no more often than the one, however short its answers last, and no less often than
 * the other.
 */
export const WATCHED_NAME_SECONDS = { least: 30, most: 3600 } as const

/** What a name means. */
export type NameAnswer =
  | {
      readonly kind: 'addresses'
      /** Of both families; may be empty: the name is there, and has none. */
      readonly addresses: readonly IpAddress[]
      /** How long that holds: the shortest of the records that led there. 0: for this once. */
      readonly ttlSeconds: number
    }
  /** There is no such name. */
  | {
      readonly kind: 'no-such-name'
      /** How long that holds. */
      readonly ttlSeconds: number
    }

/**
 * The resolver port. Calls are asynchronous and may be slow or fail: nobody waits for them on the loop. A call ends by
 * itself within the time limit that the implementation was opened with, and rejects with `UnavailableError` when nobody who
 * should know the name gave an answer by then.
 */
export interface Resolver {
  /** `dns`, `dns-over-tls`: for logs and status. */
  readonly name: string
  /** @param name A domain name without the dot of the root. */
  resolve(name: string): Promise<NameAnswer>
  /** Gives up what is under way, and lets go of sockets. */
  close(): Promise<void>
}
