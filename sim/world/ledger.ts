import { Seconds, after, formatIpPrefix, prefixesOverlap } from '@breakwater/core'
import type { Duration, Instant, Transport } from '@breakwater/core'
import { Code } from '@breakwater/coap'
import type { Target, Trigger } from '@breakwater/dots'
import type { VirtualClock } from '@breakwater/testing'
import type { Traffic } from './traffic.ts'
import type { Seen, SeenMitigationRequest } from './wire.ts'

/** What is known from the wire of one mitigation at one provider. */
export interface LedgerEntry {
  readonly site: number
  readonly provider: number
  readonly cuid: string
  readonly mitigationId: number
  readonly target: Target
  readonly trigger: Trigger
  /** The life of the client that asked first. */
  readonly life: number
  /** The server said until when it will be there; undefined: it said nothing that still holds. */
  promisedUntil: Instant | undefined
  /** The server may have taken it up until then, and not longer. */
  lastsUntil: Instant
  /** A DELETE of it came to the server, and no PUT of it after that. */
  deleteHeardAt: Instant | undefined
  /** The server confirmed the DELETE, and no PUT came after that. */
  withdrawnAt: Instant | undefined
  /** Its record was read by a calendar that had stepped while nobody could correct it: it may end much later. */
  isDoubtful: boolean
  /** It came to the server last. */
  askedAt: Instant
  /**
   * Newer requests with common addresses that came to the server, which deletes this one for them; and preconfigured ones
   * that took its place when the signal was lost.
   */
  readonly heirs: Set<LedgerEntry>
}

/** A PUT may wait so long at the server, for a slow disk, before its lifetime starts. */
const LONGEST_WAIT: Duration = Seconds(180)

/** Longest lifetime that the servers grant, in seconds. */
const LONGEST_LIFETIME = 86_400

/** An independent record of all mitigations, kept by listening to what reaches servers and what they answer. */
export class Ledger {
  readonly #entries = new Map<string, LedgerEntry>()
  readonly #byProvider = new Map<number, LedgerEntry[]>()
  /** By provider and `<cuid>/<mid>`. */
  readonly #byKey = new Map<string, LedgerEntry[]>()
  readonly #clock: VirtualClock
  readonly #lifeOf: (site: number) => number
  readonly #requests = new Map<string, SeenMitigationRequest>()
  /** When each of them came to the server last. */
  readonly #heardAt = new Map<string, Instant>()
  /** Answers that were counted: a repeated request may get a copy of its answer. */
  readonly #answers = new Set<string>()

  /** @param lifeOf Which life of its client a site is in. */
  constructor(clock: VirtualClock, lifeOf: (site: number) => number) {
    this.#clock = clock
    this.#lifeOf = lifeOf
  }

  /**
   * The mitigations of a key `<cuid>/<mid>`, one for each target: a client whose calendar was set back may give an id
   * again that it has forgotten.
   */
  find(provider: number, key: string): readonly LedgerEntry[] {
    return this.#byKey.get(`${provider} ${key}`) ?? []
  }

  /** Entries of one provider. */
  at(provider: number): readonly LedgerEntry[] {
    return this.#byProvider.get(provider) ?? []
  }

  /** Records of a provider were read by a calendar that may be wrong: promises are off by so much. */
  doubt(provider: number, by: Duration): void {
    if (by === 0) return
    for (const entry of this.at(provider)) {
      entry.promisedUntil = undefined
      entry.isDoubtful = true
      entry.lastsUntil = later(after(entry.lastsUntil, by), this.#clock.now())
    }
  }

  /** RFC 9132 §4.4.1.3: what a site preconfigured takes the place of its immediate requests with common addresses. */
  signalLost(provider: number, site: number): void {
    const own = this.at(provider).filter((entry) => entry.site === site && entry.deleteHeardAt === undefined)
    for (const entry of own.filter(({ trigger }) => trigger === 'immediate'))
      for (const other of own)
        if (other.trigger === 'signal-loss' && overlap(entry.target, other.target)) entry.heirs.add(other)
  }

  /** Until when a rule for this mitigation may be in force, if it is not withdrawn; its heirs keep it until theirs is. */
  boundOf(entry: LedgerEntry): Instant {
    let bound = entry.lastsUntil
    for (const heir of entry.heirs) if (heir.lastsUntil > bound) bound = heir.lastsUntil
    return bound
  }

  take({ when, direction, site, provider, seen, entry }: Traffic): void {
    if (provider === undefined || seen === undefined) return
    if (direction === 'to-server' && when === 'sent' && isAboutMitigation(seen))
      this.#requests.set(`${site} ${provider} ${seen.token}`, seen)
    if (direction === 'to-server' && when === 'delivered' && isAboutMitigation(seen)) {
      this.#heardAt.set(`${site} ${provider} ${seen.token}`, this.#clock.now())
      this.#heard(site, provider, seen)
    }
    if (direction === 'to-client' && when === 'sent' && seen.kind === 'answer')
      this.#answered(site, provider, seen, entry.transport)
  }

  #heard(site: number, provider: number, seen: SeenMitigationRequest): void {
    if (seen.mitigationId === undefined) return
    if (seen.kind === 'delete')
      for (const each of this.find(provider, `${seen.cuid}/${seen.mitigationId}`))
        each.deleteHeardAt = this.#clock.now()
    if (seen.kind !== 'put' || seen.target === undefined) return
    const key = `${provider} ${seen.cuid}/${seen.mitigationId} ${seen.trigger} ${textOf(seen.target)}`
    const known = this.#entries.get(key)
    const entry = known ?? this.#newEntry(site, provider, seen, seen.mitigationId, seen.target)
    if (known === undefined) this.#keep(key, entry)
    entry.askedAt = this.#clock.now()
    for (const heir of entry.heirs)
      if (heir.trigger !== entry.trigger) {
        entry.heirs.delete(heir)
        // What was promised, the loss of the signal has ended: only an answer to this one is a new promise.
        entry.promisedUntil = undefined
      }
    entry.deleteHeardAt = undefined
    entry.withdrawnAt = undefined
    entry.lastsUntil = later(entry.lastsUntil, after(this.#end(seen.lifetimeSeconds), LONGEST_WAIT))
    for (const other of this.at(provider))
      if (other.site === site && isReplacedBy(other, entry)) other.heirs.add(entry)
  }

  #keep(key: string, entry: LedgerEntry): void {
    const { provider, cuid, mitigationId } = entry
    this.#entries.set(key, entry)
    addTo(this.#byProvider, provider, entry)
    addTo(this.#byKey, `${provider} ${cuid}/${mitigationId}`, entry)
  }

  #newEntry(
    site: number,
    provider: number,
    seen: SeenMitigationRequest,
    mitigationId: number,
    target: Target
  ): LedgerEntry {
    return {
      site,
      provider,
      cuid: seen.cuid,
      mitigationId,
      target,
      trigger: seen.trigger,
      life: this.#lifeOf(site),
      promisedUntil: undefined,
      lastsUntil: this.#clock.now(),
      deleteHeardAt: undefined,
      withdrawnAt: undefined,
      isDoubtful: false,
      askedAt: this.#clock.now(),
      heirs: new Set()
    }
  }

  #answered(
    site: number,
    provider: number,
    answer: Seen & { readonly kind: 'answer' },
    transport: Transport
  ): void {
    const exchange = `${site} ${provider} ${answer.token}`
    const request = this.#requests.get(exchange)
    // A full link keeps a stream's answers back, for minutes even: they were given no sooner than the question came.
    const givenAt = transport === 'tcp' ? this.#heardAt.get(exchange) : undefined
    if (request?.mitigationId === undefined) return
    const copy = `${site} ${provider} ${answer.token} ${answer.messageId}`
    if (this.#answers.has(copy)) return
    this.#answers.add(copy)
    const isGranted = answer.code === Code.created || answer.code === Code.changed
    for (const entry of this.find(provider, `${request.cuid}/${request.mitigationId}`)) {
      const isAsked = request.target !== undefined && textOf(request.target) === textOf(entry.target)
      if (request.kind === 'put' && isAsked && isGranted && entry.deleteHeardAt === undefined)
        entry.promisedUntil = this.#end(answer.lifetimeSeconds, givenAt)
      if (request.kind === 'delete' && answer.code === Code.deleted && entry.deleteHeardAt !== undefined)
        entry.withdrawnAt = this.#clock.now()
    }
  }

  #end(lifetimeSeconds: number | undefined, since: Instant = this.#clock.now()): Instant {
    if (lifetimeSeconds === undefined) return since
    const granted = lifetimeSeconds === -1 ? LONGEST_LIFETIME : Math.min(lifetimeSeconds, LONGEST_LIFETIME)
    return after(since, Seconds(granted))
  }
}

/** PUT, DELETE and GET on `/mitigate`. */
export function isAboutMitigation(seen: Seen): seen is SeenMitigationRequest {
  return seen.kind === 'put' || seen.kind === 'delete' || seen.kind === 'get'
}

/** RFC 9132 §4.4.1.3: a higher id with a common address, or the same id for something else. */
function isReplacedBy(older: LedgerEntry, newer: LedgerEntry): boolean {
  if (older === newer) return false
  if (older.mitigationId === newer.mitigationId) return true
  if (older.trigger !== newer.trigger) return false
  return older.mitigationId < newer.mitigationId && overlap(older.target, newer.target)
}

function textOf({ prefixes, ports, protocols }: Target): string {
  const prefixTexts = prefixes.map((each) => formatIpPrefix(each)).toSorted()
  return JSON.stringify([prefixTexts, ports, protocols])
}

function overlap(one: Target, other: Target): boolean {
  return one.prefixes.some((own) => other.prefixes.some((each) => prefixesOverlap(own, each)))
}

function addTo<Key>(lists: Map<Key, LedgerEntry[]>, key: Key, entry: LedgerEntry): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [entry])
  else list.push(entry)
}

function later(a: Instant, b: Instant): Instant {
  return a > b ? a : b
}
