import { Milliseconds, UnavailableError, after } from '@breakwater/core'
import type { MitigationPlan, Mitigator, PlanId } from '@breakwater/dots'
import type { Chance } from '../chance.ts'
import type { Process } from './process.ts'

/** What filters at a provider; its rules stay when the server that asked for them dies. */
export class FilterDevice {
  readonly rules = new Map<PlanId, MitigationPlan>()
  latencyMilliseconds = 20
  /** Part of the calls that fail, 0 … 1. */
  failing = 0
  /** Planted bug: says that a rule is gone, and keeps it. */
  keepsRules = false
  /** Planted bug: says that a rule is in force, and has none. */
  appliesNothing = false
  /** Planted bug: throws where it should reject. */
  throws = false
  readonly #chance: Chance
  #isHanging = false
  /** Calls that hang. */
  readonly #hanging = new Set<() => void>()

  constructor(chance: Chance) {
    this.#chance = chance
  }

  /** While it hangs, calls are taken and not answered. */
  setHanging(isHanging: boolean): void {
    this.#isHanging = isHanging
    if (isHanging) return
    const waiting = [...this.#hanging]
    this.#hanging.clear()
    for (const goOn of waiting) goOn()
  }

  /** It started anew, and its rules are gone. @returns whether there were any. */
  forget(): boolean {
    const had = this.rules.size > 0
    this.rules.clear()
    return had
  }

  /** The device as one process sees it. */
  attach(process: Process): Mitigator {
    return {
      name: 'simulated',
      apply: (plan) => {
        if (this.throws) throw new TypeError('plan is not iterable')
        return this.#call(process, () => void (this.appliesNothing || this.rules.set(plan.id, plan)))
      },
      withdraw: (id) => this.#call(process, () => void (this.keepsRules || this.rules.delete(id))),
      inForce: () => this.#call(process, () => [...this.rules.keys()]),
      counters: () =>
        this.#call(
          process,
          () => new Map([...this.rules.keys()].map((id) => [id, { packets: 12n, bytes: 34n }]))
        ),
      close: () => Promise.resolve()
    }
  }

  #call<Result>(process: Process, act: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      const begin = (): void => this.#perform(process, act, resolve, reject)
      if (!this.#isHanging) begin()
      else {
        this.#hanging.add(begin)
        process.atDeath(() => this.#hanging.delete(begin))
      }
    })
  }

  #perform<Result>(
    process: Process,
    act: () => Result,
    resolve: (result: Result) => void,
    reject: (error: unknown) => void
  ): void {
    const fails = this.#chance.happens(this.failing)
    const at = after(process.now(), Milliseconds(this.#chance.between(0.5, this.latencyMilliseconds)))
    // A command that was handed over may be carried out although nobody waits for its answer any more.
    const survives = this.#chance.happens(0.5)
    const forgetLastWords = process.atDeath(() => {
      if (survives && !fails) act()
    })
    process.answerAt(at, () => {
      forgetLastWords()
      if (fails) reject(new UnavailableError('SIM_FILTER', 'the filter device does not answer', true))
      else resolve(act())
    })
  }
}
