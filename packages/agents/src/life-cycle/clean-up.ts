import type { Log } from '@breakwater/core'

/** What has to be let go of when an agent ends: the newest first, each even if another fails. */
export class CleanUp {
  readonly #steps: (readonly [name: string, act: () => void | Promise<void>])[] = []

  /** Remembers how to let go of something that was just opened. */
  add(name: string, act: () => void | Promise<void>): void {
    this.#steps.push([name, act])
  }

  /** Does it all. Failures are logged: an agent that ends has no better use for them. */
  async run(log: Log): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const [name, act] = step
      try {
        await act()
      } catch (error) {
        log.warn('agent.cleanup_failed', { what: name, reason: String(error) })
      }
    }
  }
}
