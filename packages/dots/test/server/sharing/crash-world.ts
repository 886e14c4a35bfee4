import { Milliseconds, Seconds, WallTime, formatIpPrefix, integerBelow } from '@breakwater/core'
import type { Entropy, IpPrefix } from '@breakwater/core'
import { MITIGATION_COLLECTION } from '@breakwater/dots'
import type { MitigationPlan, PlanId, ServerOutput } from '@breakwater/dots'
import { SimulatedSharedStore, seededEntropy } from '@breakwater/testing'
import { planIdOf } from '../../../src/server/mitigations/mitigation.ts'
import { decodeRecord } from '../../../src/server/mitigations/record.ts'
import { ServerBed } from '../server-bed.ts'

//             +---- store, device ----+
//           0 |                       | 1            one provider, a server for each attachment
//             +-- clients, at random -+

export const STEP = Milliseconds(50)

/** Short, so that what is withdrawn is over within the story. */
const GRACE = { activeButTerminating: Seconds(10), maximumActiveButTerminating: Seconds(20) }

/** Outputs that take a while, in the order in which they were asked for. */
const SLOW = ['store', 'beat', 'read-changes', 'apply', 'withdraw', 'read-in-force'] as const

/** Outputs that leave something behind. */
const WRITES: ReadonlySet<ServerOutput['kind']> = new Set(['store', 'beat', 'apply', 'withdraw'])

/** Where a server dies: before or after it has done the n-th write from now on, of whose answer it hears nothing. */
export interface Death {
  readonly server: 0 | 1
  readonly write: number
  readonly when: 'before' | 'after'
}

/** Two servers that share a store and a device, one of which dies at a write; whatever is wrong is in `faults`. */
export class CrashWorld {
  readonly store: SimulatedSharedStore = new SimulatedSharedStore(() => this.now)
  readonly inForce = new Map<PlanId, MitigationPlan | undefined>()
  readonly servers: ServerBed[] = []
  readonly faults: string[] = []
  /** Milliseconds since the start. */
  now = 0
  diedAt: number | undefined
  /** Writes of each server. */
  readonly writes: [number, number] = [0, 0]
  readonly #entropy: Entropy
  readonly #death: Death | undefined

  constructor(seed: number, death?: Death) {
    this.#entropy = seededEntropy(seed)
    this.#death = death
    for (const index of [0, 1] as const) this.servers.push(this.#start(index))
  }

  get alive(): ServerBed[] {
    return this.servers.filter((server) => !server.isDead)
  }

  get #calendar(): WallTime {
    return WallTime(Math.max(...this.alive.map((server) => server.wallClock())))
  }

  leads(server: ServerBed): boolean {
    return !server.isDead && server.eventsOf('lead-changed').at(-1)?.leads === true
  }

  /** Lets time pass for all, and the store and the device do what was asked of them, or not yet. */
  step(): void {
    for (const server of this.alive) {
      server.advance(STEP)
      if (integerBelow(this.#entropy, 3) > 0) continue
      server.release()
      hold(server)
    }
    this.now += STEP
    if (this.alive.filter((server) => this.leads(server)).length > 1) this.faults.push('two lead')
  }

  /** Starts the server that died anew. */
  revive(): void {
    const dead = this.servers[0]?.isDead === true ? 0 : 1
    this.servers[dead] = this.#start(dead)
  }

  /** What the store says that is to be in force: of live mitigations, and of those that are withdrawn, for a while. */
  wanted(): Map<PlanId, readonly IpPrefix[]> {
    const { records } = this.store.load(MITIGATION_COLLECTION)
    const wanted = new Map<PlanId, readonly IpPrefix[]>()
    for (const { key, value } of records) {
      const { startedAt, requested, expiresAt, terminatingUntil = expiresAt } = decodeRecord(key, value)
      // What is over goes before its record does.
      if (terminatingUntil === 'never' || terminatingUntil > this.#calendar)
        wanted.set(planIdOf(key, startedAt), requested.prefixes)
    }
    return wanted
  }

  #start(index: 0 | 1): ServerBed {
    const [other] = this.alive
    const server = new ServerBed({
      shared: this.store,
      policy: GRACE,
      ...(other === undefined ? {} : { wallClock: other.wallClock() })
    })
    server.inForce = this.inForce
    server.around = (output, perform) => this.#perform(index, server, output, perform)
    hold(server)
    return server
  }

  #perform(index: 0 | 1, server: ServerBed, output: ServerOutput, perform: () => void): void {
    if (output.kind === 'apply' || output.kind === 'withdraw') this.#watch(server, output)
    const isLast = WRITES.has(output.kind) && ++this.writes[index] === this.#death?.write
    if (!isLast || this.#death?.server !== index || this.diedAt !== undefined) {
      perform()
      return
    }
    if (this.#death.when === 'after') perform()
    this.diedAt = this.now
    server.isDead = true
  }

  #watch(server: ServerBed, output: Extract<ServerOutput, { kind: 'apply' | 'withdraw' }>): void {
    if (!this.leads(server)) this.faults.push(`${output.kind} by one that does not lead`)
    const id = output.kind === 'apply' ? output.plan.id : output.plan
    const isThere = this.inForce.has(id)
    if (output.kind === 'apply' && isThere) this.faults.push(`${id} is applied twice`)
    if (output.kind === 'withdraw' && isThere && this.wanted().has(id))
      this.faults.push(`${id} is withdrawn, and the store wants it`)
  }
}

function hold(server: ServerBed): void {
  for (const kind of SLOW) server.hold.add(kind)
}

/** Plan and prefix of each, sorted. */
export function planTexts(plans: ReadonlyMap<PlanId, readonly IpPrefix[]>): string[] {
  return [...plans].map(([id, prefixes]) => `${id} ${prefixes.map(formatIpPrefix).join()}`).toSorted()
}
