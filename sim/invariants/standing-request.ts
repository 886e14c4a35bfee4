import { Milliseconds, Seconds, after, between, prefixesOverlap } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { MitigationSnapshot } from '@breakwater/dots'
import type { LedgerEntry } from '../world/ledger.ts'
import type { Provider } from '../world/provider.ts'
import { possibleParameters } from '../world/session-parameters.ts'
import type { Traffic } from '../world/traffic.ts'
import type { Invariant, MakeInvariant, Report, WorldView } from './invariant.ts'
import { SentAway } from './sent-away.ts'

/**
 * Preconfigured requests (RFC 9132 §4.4.1.1) come into force when the signal of their client is lost and the provider's
 * policy wants it, not otherwise; and that the signal is there again takes none out of force (RFC 9132 §4.4.4): only its
 * end does, or an immediate request of the same client with common addresses (RFC 9132 §4.4.1.3).
 */
export const standingRequest: MakeInvariant = (view) => new StandingRequest(view)

/** A server with a slow disk decides so much later; a loss is looked at again when what is under way is stored. */
const LONGEST_WAIT: Duration = Seconds(180)

/** A provider is sound when nothing has been wrong with it for so long, in seconds. */
const SOUND_AFTER_SECONDS = 200

/** Sampling, and a round trip. */
const MOMENT: Duration = Seconds(15)

/** What is known of the signal from one site to one provider. */
interface Signal {
  /** Heartbeats that came and have no answer. */
  readonly unanswered: Set<string>
  /** The server surely heard the client then: it answered a heartbeat. */
  answeredAt: Instant
  /** It may have heard it then: something came. */
  arrivedAt: Instant
  /** Where the server has another one to send clients to: there they are heard instead. */
  readonly sentAway: SentAway | undefined
  /** The end of the last time without an answer that was long enough for a loss. */
  lostUntil: Instant | undefined
}

/** A preconfigured request that was in force when it was last looked at. */
interface Standing {
  /** Which life of the server. */
  readonly startedAt: Instant
  readonly at: Instant
  readonly endsAt: Instant
}

class StandingRequest implements Invariant {
  readonly name = 'standing-request'
  readonly #view: WorldView
  /** Nothing is lost sooner. */
  readonly #shortestLoss: Duration
  /** What is lost is known to be by then. */
  readonly #longestLoss: Duration
  readonly #signals = new Map<string, Signal>()
  /** By provider and key. */
  #inForce: ReadonlyMap<string, Standing> = new Map()
  /** All that ever were. */
  readonly #wereInForce = new Set<LedgerEntry>()

  constructor(view: WorldView) {
    this.#view = view
    const silences = possibleParameters(view.scenario).map(
      ({ heartbeatIntervalSeconds, missingHeartbeatsAllowed }) =>
        heartbeatIntervalSeconds * missingHeartbeatsAllowed
    )
    this.#shortestLoss = Seconds(Math.min(...silences))
    // Heartbeats are a tenth later at the most.
    this.#longestLoss = Seconds(1.1 * Math.max(...silences))
  }

  traffic({ when, direction, site, provider, seen, session, entry }: Traffic): void {
    if (provider === undefined) return
    const signal = this.#signal(site, provider)
    signal.sentAway?.passed({ when, direction, session, seen })
    if (direction === 'to-server' && when === 'delivered') {
      signal.arrivedAt = entry.at
      if (seen?.kind === 'heartbeat') signal.unanswered.add(seen.token)
    }
    const isAnswer = direction === 'to-client' && when === 'sent' && seen?.kind === 'answer'
    if (!isAnswer || !signal.unanswered.delete(seen.token)) return
    if (this.#isLost(signal)) signal.lostUntil = entry.at
    signal.answeredAt = entry.at
  }

  sample(report: Report): void {
    const at = this.#view.clock.now()
    const inForce = new Map<string, Standing>()
    for (const provider of this.#view.providers)
      for (const mitigation of provider.mitigations()) {
        const entry = this.#entryOf(provider, mitigation)
        if (entry === undefined) continue
        const key = `${provider.number} ${mitigation.cuid}/${mitigation.mitigationId}`
        this.#look(provider, mitigation, entry, this.#inForce.get(key), report)
        if (!isInForce(mitigation)) continue
        const endsAt = after(at, Seconds(mitigation.remainingLifetimeSeconds))
        inForce.set(key, { startedAt: provider.startedAt, at, endsAt })
        this.#wereInForce.add(entry)
      }
    this.#inForce = inForce
  }

  #look(
    provider: Provider,
    mitigation: MitigationSnapshot,
    entry: LedgerEntry,
    before: Standing | undefined,
    report: Report
  ): void {
    const name = `${mitigation.cuid}/${mitigation.mitigationId}`
    if (isInForce(mitigation)) {
      if (before === undefined && !this.#mayBegin(provider, entry))
        report(`provider ${provider.number} brought ${name} into force without a loss of the signal`)
      return
    }
    if (before !== undefined && !this.#mayStop(provider, entry, before))
      report(`provider ${provider.number} stopped ${name}, although nothing but the signal came back`)
    if (mitigation.state !== 'terminating' && this.#mustBeInForce(provider, entry))
      report(`provider ${provider.number} left ${name} ${mitigation.state} although the signal is lost`)
  }

  /** Undefined: it is none that was preconfigured, or one whose dates are in doubt. */
  #entryOf({ number }: Provider, { cuid, mitigationId }: MitigationSnapshot): LedgerEntry | undefined {
    const entries = this.#view.ledger.find(number, `${cuid}/${mitigationId}`)
    return entries.every(({ trigger }) => trigger === 'signal-loss') ? entries.at(-1) : undefined
  }

  #mayBegin({ number, home }: Provider, entry: LedgerEntry): boolean {
    // It adjusts one that was in force; or it was itself, as a record on the disk says.
    for (const each of this.#wereInForce) if (each === entry || each.heirs.has(entry)) return true
    if (this.#view.scenario.onSignalLoss[home] === 'ignore') return false
    const signal = this.#signal(entry.site, number)
    if (this.#isLost(signal)) return true
    const { lostUntil } = signal
    return lostUntil !== undefined && after(lostUntil, LONGEST_WAIT) > this.#view.clock.now()
  }

  #mayStop({ startedAt }: Provider, entry: LedgerEntry, before: Standing): boolean {
    // What a server that was killed did not get to its disk it does not know any more.
    if (before.startedAt !== startedAt) return true
    // Its client withdrew it, or asked for something else in its place.
    if (entry.deleteHeardAt !== undefined || entry.heirs.size > 0) return true
    // It was over, and was asked for anew.
    if (before.endsAt <= this.#view.clock.now()) return true
    return this.#wasRelieved(entry, before.at)
  }

  /** An immediate request of the same client came for common addresses, not long before `since` or later. */
  #wasRelieved(entry: LedgerEntry, since: Instant): boolean {
    return this.#view.ledger
      .at(entry.provider)
      .some(
        (other) =>
          other.site === entry.site &&
          other.trigger === 'immediate' &&
          after(other.askedAt, LONGEST_WAIT) > since &&
          other.target.prefixes.some((one) =>
            entry.target.prefixes.some((each) => prefixesOverlap(one, each))
          )
      )
  }

  #mustBeInForce({ number, home, startedAt }: Provider, entry: LedgerEntry): boolean {
    const { scenario, clock, weather } = this.#view
    if (scenario.onSignalLoss[home] === 'ignore') return false
    if (weather.isTroubled(number, SOUND_AFTER_SECONDS)) return false
    const { arrivedAt, sentAway } = this.#signal(entry.site, number)
    if (sentAway?.isAway === true) return false
    const now = clock.now()
    const graceOfStart = Milliseconds(2 * this.#longestLoss + MOMENT)
    return (
      between(arrivedAt, now) > Milliseconds(this.#longestLoss + MOMENT) &&
      after(startedAt, graceOfStart) < now
    )
  }

  #isLost({ answeredAt }: Signal): boolean {
    return between(answeredAt, this.#view.clock.now()) >= this.#shortestLoss
  }

  #signal(site: number, provider: number): Signal {
    const key = `${site} ${provider}`
    const now = this.#view.clock.now()
    const known = this.#signals.get(key)
    if (known !== undefined) return known
    const isRedirecting = this.#view.layout.servers[provider]?.alternate !== undefined
    const signal = {
      sentAway: isRedirecting ? new SentAway() : undefined,
      lostUntil: undefined,
      unanswered: new Set<string>(),
      answeredAt: now,
      arrivedAt: now
    }
    this.#signals.set(key, signal)
    return signal
  }
}

function isInForce({ state }: MitigationSnapshot): boolean {
  return state === 'applying' || state === 'active' || state === 'stopped' || state === 'failing'
}
