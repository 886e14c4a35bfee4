import type { Clock, ScheduledCall } from './clock.ts'
import type { Machine } from './machine.ts'
import type { Instant } from './time.ts'

/**
 * Hosts one machine on a clock: feeds inputs, hands each output to `perform`, keeps one wake-up armed.
 * `perform` may feed the driver again: such inputs queue up until the outputs before them are performed.
 */
export class Driver<Input, Output> {
  readonly #machine: Machine<Input, Output>
  readonly #clock: Clock
  readonly #perform: (output: Output) => void
  readonly #waiting: Input[] = []
  #running = false
  #stopped = false
  #wakeUp: ScheduledCall | undefined
  #wakeUpAt: Instant | undefined

  constructor(machine: Machine<Input, Output>, clock: Clock, perform: (output: Output) => void) {
    this.#machine = machine
    this.#clock = clock
    this.#perform = perform
  }

  /** Feeds one input now. Ignored after `stop`. */
  feed(input: Input): void {
    if (this.#stopped) return
    this.#waiting.push(input)
    this.#run()
  }

  /** Forgets the wake-up and ignores everything that comes later. */
  stop(): void {
    this.#stopped = true
    this.#waiting.length = 0
    this.#wakeUp?.cancel()
    this.#wakeUp = undefined
    this.#wakeUpAt = undefined
  }

  #run(): void {
    if (this.#running) return
    this.#running = true
    try {
      let input = this.#waiting.shift()
      while (input !== undefined) {
        this.#machine.handle(input, this.#clock.now())
        this.#drain()
        input = this.#waiting.shift()
      }
    } finally {
      this.#running = false
    }
    this.#arm()
  }

  #drain(): void {
    for (let output = this.#machine.poll(); output !== undefined; output = this.#machine.poll())
      this.#perform(output)
  }

  #arm(): void {
    if (this.#stopped) return
    const at = this.#machine.nextTimeout()
    if (at === this.#wakeUpAt) return
    this.#wakeUp?.cancel()
    this.#wakeUpAt = at
    this.#wakeUp = at === undefined ? undefined : this.#clock.schedule(at, () => this.#wake())
  }

  #wake(): void {
    this.#wakeUp = undefined
    this.#wakeUpAt = undefined
    if (this.#stopped) return
    this.#running = true
    try {
      this.#machine.handleTimeout(this.#clock.now())
      this.#drain()
    } finally {
      this.#running = false
    }
    this.#run()
  }
}
