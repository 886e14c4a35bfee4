/** One measurement against a ceiling that is taken in the same run, since machines are noisy. */
export interface Benchmark {
  readonly name: string
  run(): Promise<Measurement>
}

export interface Measurement {
  readonly value: number
  readonly unit: 'ms' | '1/s' | 'bytes' | 'ratio'
  /** What this machine could do at best in the same unit, measured in the same run. */
  readonly ceiling?: number
  /** `value` as a share of `ceiling`. */
  readonly ratio?: number
}
