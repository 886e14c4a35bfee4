import { BreakwaterError, Milliseconds, Seconds, after } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import { LEASE_MS } from '../../domain/shared-record-store.ts'
import type { Beat, Revision } from '../../domain/shared-record-store.ts'
import { RecordReader, RecordWriter } from '../mitigations/record-bytes.ts'

/** How often a server asks what others have changed: so long, and what the store takes, until it knows. */
export const CHANGES_INTERVAL: Duration = Milliseconds(250)

/** How often a server says that it is there. */
export const BEAT_INTERVAL: Duration = Seconds(1)

export const LEASE: Duration = Milliseconds(LEASE_MS)

/** What a server that shares its store with others of its provider (RFC 9284 §5.4) knows of them. */
export class Sharing {
  /** All that others have changed up to here is taken over. */
  seen: Revision
  /** As of when that is all there is. */
  seenAt: Instant
  /** When others last said that they hear a client, by its owner. */
  readonly heardElsewhere: Map<string, Instant> = new Map()
  /** When what is being asked for was asked for. */
  readingSince: Instant | undefined
  beatingSince: Instant | undefined
  #role: 'follows' | 'is-to-lead' | 'leads' = 'follows'
  #leaseUntil: Instant | undefined

  constructor(seen: Revision, now: Instant) {
    this.seen = seen
    this.seenAt = now
  }

  get leads(): boolean {
    return this.#role === 'leads'
  }

  /**
   * The store has given it the lead, and what the one before did until then is to be heard first: plans of what is not known
   * here would be taken for some that nobody wants.
   */
  get isToLead(): boolean {
    return this.#role === 'is-to-lead'
  }

  /** All that was done before the lead was given is heard. */
  takeLead(): void {
    if (this.#role === 'is-to-lead') this.#role = 'leads'
  }

  /** @returns whether this server led until now. */
  beaten({ leads, notices }: Beat, now: Instant): boolean {
    const did = this.leads
    // From when it was asked for: the answer may have been long on its way.
    this.#leaseUntil = leads ? after(this.beatingSince ?? now, LEASE) : undefined
    if (!leads) this.#role = 'follows'
    else if (this.#role === 'follows') this.#role = 'is-to-lead'
    this.beatingSince = undefined
    for (const notice of notices) for (const owner of readOwners(notice)) this.heardElsewhere.set(owner, now)
    return did && !this.leads
  }

  /** @returns whether this server led until now. */
  expire(now: Instant): boolean {
    if (this.#leaseUntil === undefined || this.#leaseUntil > now) return false
    const did = this.leads
    this.#leaseUntil = undefined
    this.#role = 'follows'
    return did
  }

  /**
   * Whether it is known what others did up to a moment, so that something may end by it. Who cannot read the store for the
   * length of a lease goes by what it knows.
   */
  isFreshFor(moment: Instant, now: Instant): boolean {
    return this.seenAt >= moment || after(moment, LEASE) <= now
  }
}

/** What the others should know: the owners that are heard here. */
export function noticeOf(owners: readonly string[]): Uint8Array {
  const writer = new RecordWriter()
  writer.list(owners, (to, owner) => to.text(owner))
  return writer.finish()
}

function readOwners(notice: Uint8Array): string[] {
  try {
    return new RecordReader(notice).list((reader) => reader.text())
  } catch (error) {
    // Of a server of another version, perhaps: it says nothing that we understand.
    if (error instanceof BreakwaterError) return []
    throw error
  }
}
