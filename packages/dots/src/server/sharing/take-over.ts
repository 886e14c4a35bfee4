import { between, prefixesOverlap } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import { sameTarget } from '../../domain/target.ts'
import type { ChangesOfOthers } from '../../domain/shared-record-store.ts'
import type { Commits } from '../mitigations/commits.ts'
import type { Lifecycle } from '../mitigations/lifecycle.ts'
import { isInForce, isLive, planIdOf } from '../mitigations/mitigation.ts'
import type { Mitigation } from '../mitigations/mitigation.ts'
import type { Preconfigured } from '../mitigations/preconfigured.ts'
import { readRecord, reportDamaged, resumed } from '../mitigations/recovery.ts'
import type { MitigationRecord } from '../mitigations/record.ts'
import type { Observations } from '../observation/observation.ts'
import type { ServerState } from '../server-state.ts'

/** What one server knows of a mitigation, and what another one wrote of it. */
interface Found {
  readonly record: MitigationRecord
  readonly latest: Mitigation
}

/**
 * Takes over what other servers that share the store have done: their mitigations become ours, with all that a step of ours would
 * bring with it. What is taken over twice changes nothing the second time.
 */
export class TakeOver {
  readonly #state: ServerState
  readonly #find: (key: string) => Mitigation | undefined
  readonly #lifecycle: Lifecycle
  readonly #commits: Commits
  readonly #preconfigured: Preconfigured
  readonly #observations: Observations

  constructor(
    state: ServerState,
    find: (key: string) => Mitigation | undefined,
    {
      lifecycle,
      commits,
      preconfigured,
      observations
    }: {
      readonly lifecycle: Lifecycle
      readonly commits: Commits
      readonly preconfigured: Preconfigured
      readonly observations: Observations
    }
  ) {
    this.#state = state
    this.#find = find
    this.#lifecycle = lifecycle
    this.#commits = commits
    this.#preconfigured = preconfigured
    this.#observations = observations
  }

  take(others: ChangesOfOthers, now: Instant): void {
    const { sharing } = this.#state
    if (sharing === undefined || others.revision <= sharing.seen) return
    sharing.seen = others.revision
    for (const key of others.damaged) reportDamaged(this.#state, key, 'its checksum does not hold')
    const gone = new Set(this.#gone(others))
    const arrived: Found[] = []
    const followed: (Found & { readonly known: Mitigation })[] = []
    const all = this.#found(others, gone, now)
    // What they replace may be all that there is of their client, which must not be forgotten in between.
    for (const { latest } of all) latest.client.arriving++
    for (const found of all) {
      const known = this.#find(found.latest.key)
      if (known === undefined) arrived.push(found)
      else if (known.planId === found.latest.planId) followed.push({ ...found, known })
      else {
        // Asked for anew, or in force once more, by a plan of its own.
        gone.add(known)
        arrived.push(found)
      }
    }
    for (const found of arrived) this.#arrive(found, gone, now)
    // After those that they may have stood down for.
    for (const found of followed) this.#follow(found.known, found, now)
    for (const mitigation of gone) this.#lifecycle.step(mitigation, { kind: 'gone' }, now)
    for (const { latest } of all) {
      latest.client.arriving--
      this.#state.clients.release(latest.client)
    }
  }

  #gone({ changes, isWhole }: ChangesOfOthers): Mitigation[] {
    const put = new Set<string>()
    const gone: Mitigation[] = []
    for (const { kind, key } of changes) {
      if (kind === 'put') put.add(key)
      else {
        this.#commits.isGone(key)
        const known = this.#find(key)
        if (known !== undefined) gone.push(known)
      }
    }
    if (!isWhole) return gone
    const all = [...this.#state.clients].flatMap(({ mitigations }) => [...mitigations.values()])
    return all.filter(({ key }) => !put.has(key))
  }

  #found({ changes }: ChangesOfOthers, gone: Set<Mitigation>, now: Instant): Found[] {
    const found: Found[] = []
    for (const change of changes) {
      if (change.kind === 'delete') continue
      const record = readRecord(this.#state, change.key, change.value)
      if (record === undefined) continue
      this.#admitOwner(record)
      const latest = resumed(this.#state, record, now)
      const known = this.#find(change.key)
      if (latest !== undefined) found.push({ record, latest })
      else this.#isOver(change.key, known, record, gone, now)
    }
    return found
  }

  /** The time of what is stored was over before it was heard of here; whoever stored it may have died and left it behind. */
  #isOver(
    key: string,
    known: Mitigation | undefined,
    record: MitigationRecord,
    gone: Set<Mitigation>,
    now: Instant
  ): void {
    const isSame = known !== undefined && known.planId === planIdOf(known.key, record.startedAt)
    if (isSame && record.terminatingUntil === undefined) {
      known.expiresAt = now
      if (isLive(known)) this.#lifecycle.armExpiry(known)
      return
    }
    if (known !== undefined) gone.add(known)
    this.#commits.sweep(key)
  }

  /** Whoever of two owners was first to store something has the cuid (RFC 9132 §4.4.1.1). */
  #admitOwner({ cuid, principal }: MitigationRecord): void {
    const client = this.#state.clients.get(cuid)
    if (client !== undefined && client.principal.owner !== principal.owner) this.#state.clients.evict(client)
  }

  #arrive({ record, latest }: Found, gone: Set<Mitigation>, now: Instant): void {
    const { kind } = latest.state
    if (latest.trigger === 'signal-loss')
      this.#state.sharing?.heardElsewhere.set(latest.client.principal.owner, now)
    const before = [...gone].filter((each) => each.client === latest.client && isReplaced(each, latest))
    for (const each of before) gone.delete(each)
    if (kind !== 'applying' && kind !== 'armed') {
      for (const each of before) this.#lifecycle.step(each, { kind: 'gone' }, now)
      this.#lifecycle.resume(latest)
      if (latest.trigger === 'signal-loss') this.#preconfigured.keep(latest, now)
      this.#observations.changed(latest, now)
      return
    }
    latest.state = { kind: 'requested' }
    this.#lifecycle.claim(latest)
    this.#lifecycle.supersede(before, latest, now)
    if (kind === 'armed') this.#lifecycle.withdrawInherited(latest)
    else this.#preconfigured.standDown(this.#preconfigured.standingDownFor(latest), latest, now)
    this.#lifecycle.step(latest, { kind: 'stored', as: kind }, now)
    this.#followProgress(latest, record, now)
  }

  /** The same mitigation, of which another server knows something new. */
  #follow(known: Mitigation, { record, latest }: Found, now: Instant): void {
    known.expiresAt = latest.expiresAt
    if (isLive(known)) this.#lifecycle.armExpiry(known)
    if (!sameTarget(known.target, latest.target)) this.#lifecycle.retarget(known, latest.target)
    const { state } = latest
    switch (state.kind) {
      case 'terminating':
        this.#lifecycle.end(known, { kind: 'withdrawn', grace: between(now, state.until) }, now)
        return
      case 'inactive':
        if (isInForce(known) || known.state.kind === 'armed')
          this.#lifecycle.step(known, { kind: 'deactivated', conflict: state.conflict }, now)
        return
      case 'armed':
        if (isInForce(known))
          this.#lifecycle.step(known, { kind: 'stood-down', because: 'attack-stopped' }, now)
        return
      case 'requested':
      case 'applying':
      case 'active':
      case 'stopped':
      case 'failing':
      case 'stood-down':
      case 'ended':
        this.#followProgress(known, record, now)
    }
  }

  /** How it stands at the device is known to the server that leads. */
  #followProgress(known: Mitigation, { progress }: MitigationRecord, now: Instant): void {
    if (this.#state.leads) return
    if (progress === 'failing') this.#lifecycle.step(known, { kind: 'apply-failed', permanent: true }, now)
    if (progress !== 'active') return
    this.#lifecycle.step(known, { kind: 'applied' }, now)
    this.#lifecycle.withdrawInherited(known)
  }
}

/** Its plan is to stay until that of the one that took its place is in force. */
function isReplaced(before: Mitigation, latest: Mitigation): boolean {
  return (
    before.id === latest.id ||
    before.target.prefixes.some((prefix) =>
      latest.target.prefixes.some((other) => prefixesOverlap(prefix, other))
    )
  )
}
