import type { Backend } from '../scenario.ts'

/** How long acceptances took after they had been wished for. */
export interface AcceptanceTimes {
  /** The last one of several servers that were asked for the same. */
  readonly lastMs: number
  /** The slowest one of those servers when each was asked for something of its own. */
  readonly slowestAloneMs: number
}

/** Of the last acceptance of several to the slowest one alone. */
const MOST_RATIO = 1.2

/**
 * Where time is real, two servers and a client compete for the same processors when both servers are asked. Who is asked one after
 * the other needs twice as long where they are equally far away.
 */
const TOLERANCE = { sim: 0, netns: 0.2, loopback: 0.2 } as const

/** Judges by the middle ratio of all rounds, in virtual time by the greatest. */
export function parallelism(
  rounds: readonly AcceptanceTimes[],
  backend: Backend
): { readonly ok: boolean; readonly figures: Readonly<Record<string, number>> } {
  const ratios = rounds.map(({ lastMs, slowestAloneMs }) => lastMs / slowestAloneMs).toSorted((a, b) => a - b)
  const at = backend === 'sim' ? ratios.length - 1 : Math.floor(ratios.length / 2)
  const ratio = ratios[at] ?? Number.NaN
  return {
    ok: ratio <= MOST_RATIO + TOLERANCE[backend],
    figures: {
      lastToSlowestRatio: ratio,
      leastLastToSlowestRatio: ratios[0] ?? Number.NaN,
      mostLastToSlowestRatio: ratios.at(-1) ?? Number.NaN
    }
  }
}
