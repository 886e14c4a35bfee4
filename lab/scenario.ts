/** One story that the lab plays, on any backend that can show it. */
export interface Scenario {
  readonly name: string
  /** One line for `--list`. */
  readonly summary: string
  /** The backends that it runs on, the most real one first. */
  readonly backends: readonly Backend[]
  run(options: ScenarioOptions): Promise<ScenarioResult>
}

/**
 * `netns`: network namespaces of this machine, with the kernel's routing, filters and traffic. `loopback`: the same agents
 * on one host, without traffic. `sim`: the same machines of the agents on a simulated network, in virtual time.
 */
export type Backend = 'netns' | 'loopback' | 'sim'

export interface ScenarioOptions {
  readonly backend: Backend
  /** Stay up after the story until `stopped` resolves, for people to play with. */
  readonly stay: boolean
  readonly stopped: Promise<void>
  /** How often a scenario that counts repeats itself; undefined: as often as it likes. */
  readonly runs?: number
  /** Of everything that is left to chance where chance can be repeated. */
  readonly seed?: number
  /** Takes every line for people. */
  readonly print: (line: string) => void
}

export interface Check {
  readonly name: string
  readonly ok: boolean
}

export interface ScenarioResult {
  readonly scenario: string
  readonly backend: Backend
  readonly checks: readonly Check[]
  /** Mitigation requests that were seen, decrypted, at a server not entitled to their targets. */
  readonly wrongServerRequests: number
  readonly figures: Readonly<Record<string, number | null>>
  /** What explains a check that failed. */
  readonly notes?: readonly string[]
}
