import type { Measurement } from './benchmark.ts'

const rounds = 5

/** The best of five rounds each, in turns: what disturbs a machine only ever makes it slower. */
export function bestRate(sample: () => number, ceilingSample: () => number): Measurement {
  let [value, ceiling] = [0, 0]
  for (let round = 0; round < rounds; round++) {
    value = Math.max(value, sample())
    ceiling = Math.max(ceiling, ceilingSample())
  }
  return { value, unit: '1/s', ceiling, ratio: value / ceiling }
}
