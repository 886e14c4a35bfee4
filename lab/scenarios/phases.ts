/** Says what is being done, so that nobody waits in front of a silent terminal. */
export class Phases {
  readonly #print: (line: string) => void

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  /** Announces a step and runs it. */
  async step<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
    const started = performance.now()
    const result = await act()
    this.#print(`${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
    return result
  }
}

/** Waits for a condition, looking every `everyMs`; rejects after `limitSeconds`, saying what was waited for. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  { limitSeconds, everyMs }: { readonly limitSeconds: number; readonly everyMs: number }
): Promise<void> {
  const end = performance.now() + limitSeconds * 1000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${limitSeconds} s`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
