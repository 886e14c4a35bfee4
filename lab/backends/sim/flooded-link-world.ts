import { PacingAuditor } from '@breakwater/testing'

import type { PacingReport } from '../../agents/audited-agent.ts'
import type { Act, FloodedLinkWorld, RunOutcome } from '../../scenarios/flooded-link-world.ts'
import { FloodedRun } from './flooded-run.ts'

/**
 * How late a mitigation request may be repeated: where a round trip was measured, a question may follow the first copy
 * after one, and 3 seconds count from there. No estimate is longer than a second.
 */
const REPETITION_SLACK_MILLISECONDS = 1050

/** Violations that are told of: the first ones say it all. */
const MOST_VIOLATIONS = 20

/** The world of `flooded-link` in virtual time: each run has a network of its own, and a seed that repeats it. */
export class SimulatedFloodedLink implements FloodedLinkWorld {
  readonly backend = 'sim'
  readonly #auditor: PacingAuditor
  readonly #violations: string[] = []
  #nextSeed: number
  #wrongRequests = 0

  constructor(seed: number) {
    this.#nextSeed = seed
    this.#auditor = new PacingAuditor({
      repetitionSlack: REPETITION_SLACK_MILLISECONDS,
      report: ({ pair, at, text }) => {
        if (this.#violations.length < MOST_VIOLATIONS)
          this.#violations.push(`run ${pair} at ${(at / 1000).toFixed(3)} s: ${text}`)
      }
    })
  }

  async play(acts: readonly Act[]): Promise<readonly (readonly RunOutcome[])[]> {
    const outcomes: RunOutcome[][] = []
    for (const act of acts) {
      const ofAct: RunOutcome[] = []
      for (let count = 0; count < act.runs; count++) ofAct.push(await this.#run(act))
      outcomes.push(ofAct)
    }
    return outcomes
  }

  #run(act: Act): Promise<RunOutcome> {
    const run = new FloodedRun(act, this.#nextSeed++, {
      take: (datagram) => this.#auditor.take(datagram),
      onWrongRequest: () => this.#wrongRequests++
    })
    return run.play()
  }

  pacing(): PacingReport {
    return { judged: this.#auditor.judged, violations: this.#violations }
  }

  wrongServerRequests(): number {
    return this.#wrongRequests
  }

  destroy(): Promise<void> {
    return Promise.resolve()
  }
}
