import { InternalError, UnavailableError } from '@breakwater/core'
import type { DropCounters, MitigationPlan, Mitigator, PlanId } from '@breakwater/dots'

import { Nft, type NftOptions } from './nft.ts'
import { rulesOfPlan } from './rule.ts'
import { type ListedPlan, plansInListing } from './rule-listing.ts'

export interface NftablesMitigatorOptions extends NftOptions {
  /** The table that is ours alone. Default `breakwater`. */
  readonly table?: string
  /** Where packets are looked at: `forward` on a router, `input` on the host itself, `prerouting` for both. */
  readonly hook: 'forward' | 'input' | 'prerouting'
}

/** One thing to do; the plan is undefined where it is to go. */
interface Work {
  readonly id: PlanId
  readonly plan: MitigationPlan | undefined
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Plans changed by one transaction at most. */
const groupLimit = 256
/** nftables keeps at most 128 bytes of comment, in which a plan's id must fit. */
const longestPlanId = 120
const family = 'inet'
const chain = 'mitigation'
/** Just before the filter rules of the host's own firewall. */
const priority = -10

/**
 * Opens the mitigator that drops with the Linux kernel's nftables. Rejects with `UnavailableError` when nft is missing
 * or not permitted. Rules of an earlier process are found again by the plan id in their comment.
 */
export async function openNftablesMitigator(options: NftablesMitigatorOptions): Promise<Mitigator> {
  const mitigator = new NftablesMitigator(options)
  await mitigator.start()
  return mitigator
}

class NftablesMitigator implements Mitigator {
  readonly name = 'nftables'
  readonly #nft: Nft
  readonly #table: string
  readonly #hook: string
  #handles = new Map<PlanId, readonly number[]>()
  readonly #waiting: Work[] = []
  /** The nft calls, one after the other. */
  #busy: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: NftablesMitigatorOptions) {
    this.#nft = new Nft(options)
    this.#table = options.table ?? 'breakwater'
    this.#hook = options.hook
  }

  async start(): Promise<void> {
    try {
      await this.#nft.transaction(this.#baseCommands())
      await this.#list()
    } catch (error) {
      await this.#nft.close()
      throw error
    }
  }

  apply(plan: MitigationPlan): Promise<void> {
    if (plan.target.prefixes.length === 0)
      return Promise.reject(
        new InternalError('MITIGATOR_PLAN_EMPTY', `plan ${plan.id} names no prefix: it would drop everything`)
      )
    if (plan.id.length > longestPlanId)
      return Promise.reject(
        new InternalError('MITIGATOR_PLAN_ID_LONG', `plan id of ${plan.id.length} characters`)
      )
    return this.#change(plan.id, plan)
  }

  withdraw(id: PlanId): Promise<void> {
    return this.#change(id, undefined)
  }

  async inForce(): Promise<readonly PlanId[]> {
    const plans = await this.#inTurn(() => this.#list())
    return [...plans.keys()]
  }

  async counters(): Promise<ReadonlyMap<PlanId, DropCounters>> {
    const plans = await this.#inTurn(() => this.#list())
    return new Map([...plans].map(([id, plan]) => [id, plan.counters]))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#busy
    await this.#nft.close()
  }

  #change(id: PlanId, plan: MitigationPlan | undefined): Promise<void> {
    if (this.#closed)
      return Promise.reject(new UnavailableError('MITIGATOR_CLOSED', 'the mitigator is closed', false))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, plan, resolve, reject })
      void this.#inTurn(() => this.#workOff())
    })
  }

  /** Runs `act` when every call before it has ended, however it ended. */
  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const done = this.#busy.then(act)
    this.#busy = done.then(
      () => undefined,
      () => undefined
    )
    return done
  }

  /** Does what waits, in one transaction as far as it can; tells each waiter apart. */
  async #workOff(): Promise<void> {
    const group = this.#takeGroup()
    if (group.length === 0) return
    try {
      await this.#perform(group)
      for (const work of group) work.resolve()
    } catch (error) {
      // An nft that hangs hangs for each of them: one by one they would keep all others waiting.
      if (isTimeout(error)) for (const work of group) work.reject(error)
      // Nothing of it was applied. One may be at fault for all, or a rule vanished behind our back: look, then one by one.
      else for (const work of group) await this.#performAlone(work)
    }
  }

  /** The waiting work up to the limit, without two changes of one plan. */
  #takeGroup(): readonly Work[] {
    const ids = new Set<PlanId>()
    let count = 0
    for (const { id } of this.#waiting) {
      if (count >= groupLimit || ids.has(id)) break
      ids.add(id)
      count++
    }
    return this.#waiting.splice(0, count)
  }

  async #performAlone(work: Work): Promise<void> {
    try {
      await this.#list()
      await this.#perform([work])
      work.resolve()
    } catch (error) {
      work.reject(error)
    }
  }

  async #perform(group: readonly Work[]): Promise<void> {
    const echoed = await this.#nft.transaction([
      ...this.#baseCommands(),
      ...group.flatMap((work) => this.#commandsFor(work))
    ])
    const added = plansInListing(echoed)
    for (const { id } of group) {
      const plan = added.get(id)
      if (plan === undefined) this.#handles.delete(id)
      else this.#handles.set(id, plan.handles)
    }
  }

  #commandsFor({ id, plan }: Work): readonly unknown[] {
    const place = { family, table: this.#table, chain }
    const removed = (this.#handles.get(id) ?? []).map((handle) => ({
      delete: { rule: { ...place, handle } }
    }))
    const added = (plan === undefined ? [] : rulesOfPlan(plan)).map((expr) => ({
      add: { rule: { ...place, comment: id, expr } }
    }))
    return [...removed, ...added]
  }

  /** Adding what is there already changes nothing, and brings the table back when somebody flushed it. */
  #baseCommands(): readonly unknown[] {
    const table = this.#table
    return [
      { add: { table: { family, name: table } } },
      {
        add: {
          chain: {
            family,
            table,
            name: chain,
            type: 'filter',
            hook: this.#hook,
            prio: priority,
            policy: 'accept'
          }
        }
      }
    ]
  }

  async #list(): Promise<ReadonlyMap<PlanId, ListedPlan>> {
    const plans = plansInListing((await this.#nft.listChain(family, this.#table, chain)) ?? [])
    this.#handles = new Map([...plans].map(([id, plan]) => [id, plan.handles]))
    return plans
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof UnavailableError && error.code === 'MITIGATOR_NFT_TIMEOUT'
}
