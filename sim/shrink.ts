import type { Canary } from './canary.ts'
import type { Family } from './family.ts'
import { runWorld } from './run-world.ts'
import type { Violation } from './run-world.ts'
import type { Course } from './scenario.ts'

/** Runs at most, for a failure that will not get smaller. */
const MOST_RUNS = 80

/**
 * A smaller scenario that breaks the same invariant: faults and actions are left out, half of them at first, as long as
 * it still fails.
 */
export async function shrink<Scenario extends Course>(
  family: Family<Scenario>,
  scenario: Scenario,
  violation: Violation,
  canary?: Canary<Scenario>
): Promise<{ readonly scenario: Scenario; readonly violation: Violation }> {
  let smallest = { scenario, violation }
  let runs = 0
  const tryOut = async (candidate: Scenario): Promise<boolean> => {
    if (runs++ >= MOST_RUNS) return false
    const { violation: found } = await runWorld(family, candidate, canary)
    if (found?.invariant !== violation.invariant) return false
    smallest = { scenario: candidate, violation: found }
    return true
  }
  await leaveOut(scenario.faults, (faults) => tryOut({ ...smallest.scenario, faults }))
  await leaveOut(scenario.actions, (actions) => tryOut({ ...smallest.scenario, actions }))
  await leaveOut(smallest.scenario.faults, (faults) => tryOut({ ...smallest.scenario, faults }))
  return smallest
}

/** Leaves out ever smaller runs of a list. */
async function leaveOut<Thing>(
  things: readonly Thing[],
  tryOut: (rest: readonly Thing[]) => Promise<boolean>
): Promise<void> {
  let kept = things
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < kept.length;) {
      const rest = kept.toSpliced(from, size)
      if (await tryOut(rest)) kept = rest
      else from += size
    }
}
