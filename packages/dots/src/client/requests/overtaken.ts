import { Seconds, after, between, earlier } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import { MitigationStatusCode } from '@breakwater/model'
import type { MitigationId } from '../../domain/identifier.ts'
import { sameTarget } from '../../domain/target.ts'
import type { MitigationReport } from './answer.ts'
import type { RequestEntry } from './request-entry.ts'

/** RFC 7252 §4.8.2, MAX_LATENCY: so long a datagram may be under way. */
const LONGEST_WAY: Duration = Seconds(100)

/** A server that keeps what we withdraw is not asked in a loop. */
const INSISTENCE: Duration = Seconds(60)

/** So many are remembered at most. */
const MOST_REMEMBERED = 256

export type OvertakenRequest = Pick<
  RequestEntry,
  'mitigationId' | 'trigger' | 'target' | 'lifetime' | 'protections'
>

interface Remembered {
  readonly request: OvertakenRequest
  /** No copy of its PUT can come to the server after that. */
  readonly arrivesBy: Instant
  /** It is not withdrawn again before. */
  notBefore: Instant
}

/**
 * Requests that are over for us, of which a copy of the PUT may still be under way: one that comes to the server behind the
 * DELETE begins a mitigation that nobody wants and nobody would end (RFC 9132 §4.4.1.3 and §4.4.4 know no order of the
 * two). What the server reports of these is withdrawn once more.
 */
export class OvertakenRequests {
  readonly #remembered = new Map<MitigationId, Remembered>()
  #checkAt: Instant | undefined

  /** Its PUT was sent last at `askedAt`, and it is over. */
  add(request: OvertakenRequest, askedAt: Instant, now: Instant): void {
    if (between(askedAt, now) >= LONGEST_WAY) return
    const { mitigationId, trigger, target, lifetime, protections } = request
    const notBefore = this.#remembered.get(mitigationId)?.notBefore ?? now
    const arrivesBy = after(askedAt, LONGEST_WAY)
    const remembered = { mitigationId, trigger, target, lifetime, protections }
    this.#remembered.delete(mitigationId)
    this.#remembered.set(mitigationId, { request: remembered, arrivesBy, notBefore })
    this.#checkAt ??= arrivesBy
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > MOST_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest)
  }

  /** The one that this report is about, if the server has it and it is time to withdraw it again. */
  find(report: MitigationReport, now: Instant): OvertakenRequest | undefined {
    const found = this.#remembered.get(report.mitigationId)
    if (found === undefined || found.notBefore > now || !isThere(report)) return undefined
    if (report.target !== undefined && !sameTarget(report.target, found.request.target)) return undefined
    return found.request
  }

  /** Its DELETE goes out again. */
  withdrawn({ mitigationId }: OvertakenRequest, now: Instant): void {
    const found = this.#remembered.get(mitigationId)
    if (found !== undefined) found.notBefore = after(now, INSISTENCE)
  }

  /** When somebody has to look at what the server has: it may tell of nothing by itself. */
  nextTimeout(): Instant | undefined {
    return this.#checkAt
  }

  /** @returns whether it is time to look. */
  handleTimeout(now: Instant): boolean {
    if (this.#checkAt === undefined || this.#checkAt > now) return false
    this.#checkAt = undefined
    for (const { arrivesBy } of this.#remembered.values())
      if (arrivesBy > now) this.#checkAt = earlier(this.#checkAt, arrivesBy)
    return true
  }

  /** They belong to a cuid that is not ours any more. */
  clear(): void {
    this.#remembered.clear()
    this.#checkAt = undefined
  }
}

/** Neither withdrawn nor over; a deactivated one may come back (RFC 9132 §4.4.1.3). */
function isThere({ status, conflict }: MitigationReport): boolean {
  switch (status) {
    case undefined:
    case MitigationStatusCode.dotsClientWithdrawnMitigation:
    case MitigationStatusCode.attackMitigationTerminated:
      return false
    case MitigationStatusCode.attackMitigationWithdrawn:
      return conflict !== undefined
    default:
      return true
  }
}
