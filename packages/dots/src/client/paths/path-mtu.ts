import { Minutes, after } from '@breakwater/core'
import type { Duration, Instant, IpFamily } from '@breakwater/core'
import type { LegalPath } from '../../multihoming/legal-path.ts'
import { ASSUMED_PATH_MTU } from '../../multihoming/split-to-fit.ts'
import { usedPath } from './used-path.ts'

/**
 * No path carries less, whoever says so. IPv6: RFC 8200 §5; a Packet Too Big that says less is discarded (RFC 8201 §4). IPv4: what
 * RFC 9132 §7.3 names for legacy and unusual networks.
 */
const LEAST_MTU: Readonly<Record<IpFamily, number>> = { 4: 576, 6: 1280 }

/** RFC 8201 §4: an increase MUST NOT be looked for within 5 minutes of the last such message; twice that is recommended. */
export const LOWERED_FOR: Duration = Minutes(10)

/** So many paths are remembered at most; a site has a handful. */
const MOST_PATHS = 1024

interface Lowered {
  readonly bytes: number
  readonly until: Instant
}

/** Where the MTU of a path is known from: what was said lately, the site plan, or RFC 9132 §7.3. */
export type MtuSource = 'said' | 'configured' | 'assumed'

/** What a path carries in one packet. */
export interface KnownMtu {
  /** IP and UDP headers included. */
  readonly bytes: number
  readonly source: MtuSource
}

/**
 * What the paths carry, as far as anybody has said so. Nothing proves who did: it only lowers what is known otherwise, by no
 * more than to what every network carries, and is forgotten after ten minutes.
 */
export class PathMtus {
  readonly #lowered = new Map<string, Lowered>()

  /** Somebody says that a link on this path carries no more than that. */
  tooBig(path: LegalPath, saidBytes: number, now: Instant): void {
    const { family } = path.remote.address
    const least = LEAST_MTU[family]
    if (family === 6 && saidBytes < least) return
    const bytes = Math.max(saidBytes, least)
    const before = this.of(path, now)
    if (bytes > before.bytes || (bytes === before.bytes && before.source !== 'said')) return
    if (this.#lowered.size >= MOST_PATHS) this.#forget(now)
    this.#lowered.set(usedPath(path).name, { bytes, until: after(now, LOWERED_FOR) })
  }

  of(path: LegalPath, now: Instant): KnownMtu {
    const lowered = this.#lowered.get(usedPath(path).name)
    const known: KnownMtu =
      path.mtu === undefined
        ? { bytes: ASSUMED_PATH_MTU, source: 'assumed' }
        : { bytes: path.mtu, source: 'configured' }
    if (lowered === undefined || lowered.until <= now || lowered.bytes >= known.bytes) return known
    return { bytes: lowered.bytes, source: 'said' }
  }

  /** What every one of these paths carries (RFC 9132 §7.3). */
  least(paths: readonly LegalPath[], now: Instant): number {
    return paths.length === 0 ? ASSUMED_PATH_MTU : Math.min(...paths.map((path) => this.of(path, now).bytes))
  }

  /** What is over goes; where nothing is, what was said first. */
  #forget(now: Instant): void {
    for (const [name, { until }] of this.#lowered) if (until <= now) this.#lowered.delete(name)
    for (const name of this.#lowered.keys()) {
      if (this.#lowered.size < MOST_PATHS) return
      this.#lowered.delete(name)
    }
  }
}
