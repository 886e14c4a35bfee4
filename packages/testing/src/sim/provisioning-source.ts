import type {
  LearntConfiguration,
  ProvisioningListener,
  ProvisioningSource,
  ProvisioningWatch
} from '@breakwater/dots'

/** A source of a simulated host: it says whatever a test says. */
export class SimulatedProvisioningSource implements ProvisioningSource {
  readonly name: string
  readonly #said = new Map<string, LearntConfiguration>()
  readonly #listeners = new Set<ProvisioningListener>()

  constructor(name = 'simulated') {
    this.name = name
  }

  /** Says it from now on, in place of what it said under this key before. */
  say(key: string, configuration: LearntConfiguration): void {
    this.#said.set(key, configuration)
    for (const listener of this.#listeners) listener.learnt(key, configuration)
  }

  unsay(key: string): void {
    if (!this.#said.delete(key)) return
    for (const listener of this.#listeners) listener.withdrawn(key)
  }

  /** Finds something that is of no use. */
  refuse(place: string, reason: string): void {
    for (const listener of this.#listeners) listener.refused(place, reason)
  }

  /** How many listen. */
  get watches(): number {
    return this.#listeners.size
  }

  watch(listener: ProvisioningListener): ProvisioningWatch {
    const ready = this.#begin(listener)
    return {
      ready,
      close: async () => {
        await ready
        this.#listeners.delete(listener)
      }
    }
  }

  async #begin(listener: ProvisioningListener): Promise<void> {
    // One turn later, as a real one.
    await Promise.resolve()
    for (const [key, configuration] of this.#said) listener.learnt(key, configuration)
    this.#listeners.add(listener)
  }
}
