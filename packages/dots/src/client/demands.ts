import { Seconds, after } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { ServerName } from '../domain/identifier.ts'
import { safetyNets } from '../multihoming/safety-net.ts'
import type { SafetyNets } from '../multihoming/safety-net.ts'
import type { SitePlan } from '../multihoming/site-plan.ts'
import type { AssociationPool, PoolChange } from './association-pool.ts'
import type { StandIns } from './pools/stand-ins.ts'
import type { Protections, Replacement } from './protections.ts'
import { netChange } from './safety-nets.ts'

/** So long what has moved stays where it was, while the other servers do not answer. */
const LONGEST_HOLD: Duration = Seconds(30)

type Changed = Pick<Replacement, 'gaining' | 'losing'>

/**
 * What each server is asked for: all that live protections want of it, and its safety net. Told in an order that leaves
 * nothing without protection: what is new before what is old is withdrawn (RFC 9284 §5.1).
 */
export class Demands {
  readonly #pool: AssociationPool
  readonly #protections: Protections
  readonly #standIns: StandIns
  #plan: SitePlan
  /** What each server is to protect when its session is lost. */
  #nets: SafetyNets
  /** Targets are moving from some servers to others. */
  #moving: (Changed & { readonly until: Instant }) | undefined

  constructor(pool: AssociationPool, protections: Protections, standIns: StandIns, plan: SitePlan) {
    this.#pool = pool
    this.#protections = protections
    this.#plan = plan
    this.#standIns = standIns
    this.#nets = safetyNets(plan, standIns.chosen)
  }

  /**
   * Tells servers what is wanted of them now: all of it, so that the compiler sees every overlap. See `AssociationInput` for
   * `holdUntil` and `keepsTriggered`.
   */
  tell(servers: Iterable<ServerName>, now: Instant, holdUntil?: Instant, keepsTriggered = false): void {
    for (const name of new Set(servers)) {
      const wants = this.#protections.wantsOf(name, this.#nets.get(name) ?? [])
      this.#pool.tell(name, { kind: 'want', wants, holdUntil, keepsTriggered }, now)
    }
  }

  /** The safety net is there from the first session on. */
  spreadNets(now: Instant): void {
    this.tell(this.#nets.keys(), now)
  }

  /** What an earlier life asked for is known again. As when the site changes, for it may have done so in between. */
  resume(now: Instant): void {
    this.#nets = safetyNets(this.#plan, this.#standIns.chosen)
    const servers = new Set(this.#pool.byServer.keys())
    const until = after(now, LONGEST_HOLD)
    this.tell(servers, now, until)
    this.#moving = { until, gaining: servers, losing: servers }
  }

  /** Some is asked of others now, and of those who were asked no more. */
  replace({ gaining, losing }: Changed, now: Instant): void {
    this.tell(gaining, now)
    this.tell(without(losing, gaining), now)
  }

  /** Others have their turn, or stand in. What they are asked for instead ends where it was when it is in force with them. */
  pass(changed: Changed, now: Instant, keepsTriggered = false): void {
    const { gaining, losing } = changed
    if (gaining.size === 0) return this.replace(changed, now)
    const until = after(now, LONGEST_HOLD)
    this.tell(gaining, now, until, keepsTriggered)
    this.tell(without(losing, gaining), now, until, keepsTriggered)
    this.#alsoMoves(changed, until)
  }

  /**
   * Another one is chosen of servers that stand in for one another: it stands by for the loss of the session, too, or else
   * nobody would who hears of it (RFC 9132 §4.4.1.1).
   */
  handOver({ gaining, losing }: Changed, now: Instant): void {
    const former = this.#nets
    this.#nets = safetyNets(this.#plan, this.#standIns.chosen)
    const nets = netChange(former, this.#nets)
    const changed = {
      gaining: new Set([...gaining, ...nets.gaining]),
      losing: new Set([...losing, ...nets.losing])
    }
    this.pass(changed, now, true)
  }

  /** The site is another one. What has moved ends where it was when it is in force elsewhere. */
  move(plan: SitePlan, { added, returned }: PoolChange, { gaining, losing }: Changed, now: Instant): void {
    const former = this.#nets
    this.#plan = plan
    this.#nets = safetyNets(plan, this.#standIns.chosen)
    const nets = netChange(former, this.#nets)
    const fresh = [...added, ...returned].map(({ server }) => server.name)
    const first = new Set([...fresh, ...gaining, ...nets.gaining, ...nets.losing])
    const until = gaining.size === 0 ? undefined : after(now, LONGEST_HOLD)
    this.tell(first, now, until)
    this.tell(without(losing, first), now, until)
    this.#pool.withdraw(now, until)
    if (until !== undefined) this.#alsoMoves({ gaining, losing }, until)
  }

  /** What has moved may have arrived, or is not waited for any longer: then it ends where it was. */
  letGo(now: Instant): void {
    if (this.#moving === undefined) return
    const { until, gaining, losing } = this.#moving
    if (until > now && [...gaining].some((name) => this.#pool.get(name)?.isAsking === true)) return
    this.#moving = undefined
    // What is held longer than this, the books let go of by themselves.
    if (until <= now) return
    this.tell(losing, now, now)
    this.#pool.withdraw(now, now)
  }

  /** What was moving before is not let go of where it was, because something else arrives. */
  #alsoMoves({ gaining, losing }: Changed, until: Instant): void {
    const { gaining: before = [], losing: left = [] } = this.#moving ?? {}
    this.#moving = { until, gaining: new Set([...before, ...gaining]), losing: new Set([...left, ...losing]) }
  }
}

function without(servers: ReadonlySet<ServerName>, others: ReadonlySet<ServerName>): ServerName[] {
  return [...servers].filter((name) => !others.has(name))
}
