/** One row of the table that a scenario shows while it runs. */
export interface LiveRow {
  readonly phase: string
  readonly legitMbps: number | undefined
  /** Provider → packets that its rules dropped so far. */
  readonly dropped: ReadonlyMap<string, bigint | undefined>
  readonly protections: readonly string[]
}

/** Prints a row at a time, so that it reads the same on a terminal, in a pipe and in a CI log. */
export class LiveTable {
  readonly #print: (line: string) => void
  readonly #providers: readonly string[]
  readonly #startedAtMs = performance.now()

  constructor(providers: readonly string[], print: (line: string) => void) {
    this.#providers = providers
    this.#print = print
    this.#print(
      line(
        'time',
        'what happens',
        'legit Mbit/s',
        ...providers.map((name) => `dropped ${name}`),
        'protections'
      )
    )
  }

  show(row: LiveRow): void {
    const seconds = ((performance.now() - this.#startedAtMs) / 1000).toFixed(1)
    const dropped = this.#providers.map((name) => row.dropped.get(name)?.toString() ?? '–')
    const legit =
      row.legitMbps === undefined ? '–' : `${row.legitMbps.toFixed(1).padStart(5)} ${bar(row.legitMbps)}`
    this.#print(line(`${seconds} s`, row.phase, legit, ...dropped, row.protections.join(', ') || '–'))
  }
}

function line(...cells: readonly string[]): string {
  const widths = [7, 30, 18, 13, 13]
  return cells
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join(' ')
    .trimEnd()
}

/** One block a Mbit/s. */
function bar(mbps: number): string {
  return '█'.repeat(Math.max(0, Math.min(11, Math.round(mbps))))
}
