/** What made the agent stop. */
export type StopReason = 'SIGTERM' | 'SIGINT' | 'failure'

/** Listens for the signals that end an agent. */
export interface StopSignal {
  /** Resolves at the first reason to stop. */
  readonly stopped: Promise<StopReason>
  /** Stops for another reason than a signal. */
  stop(reason: StopReason): void
  /** Lets the signals do what they do by default. */
  dispose(): void
}

/** From now on, SIGTERM and SIGINT ask the agent to end in order; a second one ends it at once. */
export function listenForStop(): StopSignal {
  return new ProcessStop()
}

class ProcessStop implements StopSignal {
  readonly stopped: Promise<StopReason>
  #resolve: ((reason: StopReason) => void) | undefined
  #asked = false
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    // 128 + number of the signal, as shells report it.
    if (this.#asked) process.exit(signal === 'SIGINT' ? 130 : 143)
    this.#asked = true
    this.stop(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM')
  }

  constructor() {
    this.stopped = new Promise((resolve) => {
      this.#resolve = resolve
    })
    process.on('SIGTERM', this.#onSignal)
    process.on('SIGINT', this.#onSignal)
  }

  stop(reason: StopReason): void {
    this.#resolve?.(reason)
  }

  dispose(): void {
    process.off('SIGTERM', this.#onSignal)
    process.off('SIGINT', this.#onSignal)
  }
}
