import { Seconds, between } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { LegalPath } from '../../multihoming/legal-path.ts'
import { isSamePath } from '../connection/outcome-memory.ts'

/** However often paths come and go, a session changes its path at most once in this time. */
export const SWITCH_SPACING: Duration = Seconds(60)

/** When a session may take to another path, and which one it left. */
export class SwitchRule {
  #switchedAt: Instant | undefined
  /** The path that it was on before the first of its switches. */
  #home: LegalPath | undefined

  mayAt(now: Instant): boolean {
    return this.#switchedAt === undefined || between(this.#switchedAt, now) >= SWITCH_SPACING
  }

  switched(from: LegalPath, to: LegalPath, now: Instant): void {
    this.#switchedAt = now
    const { isAway } = this
    if (!isAway) this.#home = from
    else if (this.isHome(to)) this.#home = undefined
  }

  get isAway(): boolean {
    return this.#home !== undefined
  }

  /** It left this path, so that it comes back to it: many flaps end as none. */
  isHome(path: LegalPath): boolean {
    return this.#home !== undefined && isSamePath(this.#home, path)
  }

  /** A new session was chosen among all paths: there is none to come back to. */
  begunAnew(): void {
    this.#home = undefined
  }
}
