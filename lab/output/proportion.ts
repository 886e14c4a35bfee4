/** How often something happened in how many runs. */
export interface Proportion {
  readonly hits: number
  readonly runs: number
}

/** Chance of a false alarm that a check may have. */
const FALSE_ALARM = 1e-4

export function proportion<Run>(runs: readonly Run[], happened: (run: Run) => boolean): Proportion {
  return { hits: runs.filter((run) => happened(run)).length, runs: runs.length }
}

/** 0 … 1, to four digits. */
export function share({ hits, runs }: Proportion): number {
  return Math.round((hits / runs) * 10_000) / 10_000
}

/**
 * Whether an aim may hold although fewer hits were seen: false only when so few would come by chance in less than one of
 * 10,000 tries. A check that asked for the aim itself would fail every other time where the truth is just the aim.
 */
export function isCompatible({ hits, runs }: Proportion, aim: number): boolean {
  return atMost(hits, runs, aim) >= FALSE_ALARM
}

/** Chance of so many hits or fewer, each with chance `p`: the lower tail of the binomial distribution. */
export function atMost(hits: number, runs: number, p: number): number {
  if (hits >= runs) return 1
  // From the chance of no hit at all, in logarithms lest it vanish.
  let logarithm = runs * Math.log1p(-p)
  let sum = Math.exp(logarithm)
  for (let count = 1; count <= hits; count++) {
    logarithm += Math.log((runs - count + 1) / count) + Math.log(p) - Math.log1p(-p)
    sum += Math.exp(logarithm)
  }
  return Math.min(sum, 1)
}

/** `93.9 % of 2000`. */
export function proportionText(seen: Proportion): string {
  return `${percent(share(seen))} of ${seen.runs}`
}

export function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`
}
