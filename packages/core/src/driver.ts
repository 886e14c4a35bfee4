import type { Clock, ScheduledCall } from './clock.ts'
import type { Machine } from './machine.ts'
import { Queue } from './queue.ts'
import type { Instant } from './time.ts'

/**
 * Hosts one machine on a clock: feeds inputs, hands each output to `perform`, keeps one wake-up armed.
 * `perform` may feed the driver again: such inputs queue up until the outputs before them are performed.
 *
 * When the machine or `perform` throws, the error leaves through `feed` or the clock, and the rest is not lost: outputs
 * and inputs still waiting are taken up by a wake-up of their own.
 */
export class Driver<Input extends object, Output> {
  readonly #machine: Machine<Input, Output>
  readonly #clock: Clock
  readonly #perform: (output: Output) => void
  readonly #waiting = new Queue<Input>()
  #state: 'idle' | 'running' | 'stopped' = 'idle'
  /** Outputs or inputs may be left of what threw. */
  #mayHaveRest = false
  /** The moment of all that comes together. */
  #moment: Instant | undefined
  #wakeUp: ScheduledCall | undefined
  #wakeUpAt: Instant | undefined

  constructor(machine: Machine<Input, Output>, clock: Clock, perform: (output: Output) => void) {
    this.#machine = machine
    this.#clock = clock
    this.#perform = perform
  }

  /** Performs what the machine wants before its first input, and arms its wake-up. `feed` does so, too. */
  start(): void {
    this.#run()
  }

  /** Feeds one input now. Ignored after `stop`. */
  feed(input: Input): void {
    if (this.#state === 'stopped') return
    this.#waiting.push(input)
    this.#run()
  }

  /**
   * What `act` feeds came together, as datagrams that were read in one go: it has one time, and the wake-up is armed once,
   * behind all of it.
   */
  together(act: () => void): void {
    if (this.#moment !== undefined || this.#state !== 'idle') {
      act()
      return
    }
    this.#moment = this.#clock.now()
    try {
      act()
    } finally {
      this.#moment = undefined
      this.#armNext()
    }
  }

  /** Forgets the wake-up and ignores everything that comes later, outputs not yet performed included. */
  stop(): void {
    this.#state = 'stopped'
    this.#waiting.clear()
    this.#arm(undefined)
  }

  #run(first?: () => void): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    let finished = false
    try {
      // What a throw left behind: a machine takes nothing new before it is drained.
      this.#drain()
      first?.()
      this.#handleWaiting()
      finished = true
    } finally {
      this.#settle(finished)
    }
  }

  #handleWaiting(): void {
    for (let input = this.#waiting.shift(); input !== undefined; input = this.#waiting.shift()) {
      this.#machine.handle(input, this.#moment ?? this.#clock.now())
      this.#drain()
    }
  }

  #drain(): void {
    while (this.#state === 'running') {
      const output = this.#machine.poll()
      if (output === undefined) return
      this.#perform(output)
    }
  }

  #settle(finished: boolean): void {
    if (this.#state === 'stopped') return
    this.#state = 'idle'
    this.#mayHaveRest = !finished
    if (this.#moment === undefined) this.#armNext()
  }

  #armNext(): void {
    if (this.#state === 'idle') this.#arm(this.#mayHaveRest ? this.#clock.now() : this.#machine.nextTimeout())
  }

  #arm(at: Instant | undefined): void {
    if (at === this.#wakeUpAt) return
    this.#wakeUp?.cancel()
    this.#wakeUpAt = at
    this.#wakeUp = at === undefined ? undefined : this.#clock.schedule(at, () => this.#wake())
  }

  #wake(): void {
    this.#wakeUp = undefined
    this.#wakeUpAt = undefined
    this.#run(() => {
      this.#machine.handleTimeout(this.#clock.now())
      this.#drain()
    })
  }
}
