/** One measurement against a ceiling that is taken in the same run, since machines are noisy. */
export interface Benchmark {
  readonly name: string
  /** Undefined: it cannot be measured here, and has said on standard error why. */
  run(): Promise<Measurement | undefined>
}

export interface Measurement {
  readonly value: number
  readonly unit: 'ms' | '1/s' | 'bytes' | 'ratio'
  /** What this machine could do at best in the same unit, measured in the same run. */
  readonly ceiling?: number
  /** What exactly was measured, where name and unit do not say it; goes into the JSON. */
  readonly what?: string
  /** `value` divided by `ceiling`: of a rate, as much as there could be; of a time, how many times the least. */
  readonly ratio?: number
}
