import { Milliseconds, Seconds, UnavailableError, after } from '@breakwater/core'
import type { Clock, Duration, Instant, ScheduledCall } from '@breakwater/core'
import type { NameAnswer, Resolver } from '@breakwater/dots'

/** A question that got no answer is asked again after so long, as real resolvers do. */
const REPETITION = Seconds(1)

/** A name service in a simulated world: what it knows, how slow it is, and whether it answers at all. */
export class SimulatedNameService {
  readonly names: Map<string, NameAnswer> = new Map()
  /** Every name that was asked for, in order; a repetition is none. */
  readonly asked: string[] = []
  latency: Duration = Milliseconds(20)
  isDead = false
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A resolver that asks this service, and gives up after `timeLimit`. */
  resolver(timeLimit: Duration): Resolver {
    const open = new Set<(error: UnavailableError) => void>()
    return {
      name: 'simulated',
      resolve: (name) => {
        this.asked.push(name)
        return new Promise((resolve, reject) => {
          const answer = (): void => resolve(this.names.get(name) ?? { kind: 'no-such-name', ttlSeconds: 30 })
          const fail = this.#repeat(after(this.#clock.now(), timeLimit), (kind, reason) => {
            open.delete(fail)
            if (kind === 'answered') answer()
            else reject(new UnavailableError('SIM_NAMES', `${name}: ${reason}`, true))
          })
          open.add(fail)
        })
      },
      close: () => {
        for (const fail of open) fail(new UnavailableError('SIM_NAMES', 'the resolver was closed', true))
        open.clear()
        return Promise.resolve()
      }
    }
  }

  /** @returns what ends it before its time. */
  #repeat(
    end: Instant,
    settle: (kind: 'answered' | 'failed', reason: string) => void
  ): (error: UnavailableError) => void {
    let timer: ScheduledCall
    const ask = (): void => {
      const at = after(this.#clock.now(), this.latency)
      if (!this.isDead && at <= end) timer = this.#clock.schedule(at, () => settle('answered', ''))
      else timer = this.#clock.schedule(earlierOf(after(this.#clock.now(), REPETITION), end), again)
    }
    const again = (): void => {
      if (this.#clock.now() >= end) settle('failed', 'no answer in time')
      else ask()
    }
    ask()
    return ({ message }) => {
      timer.cancel()
      settle('failed', message)
    }
  }
}

function earlierOf(x: Instant, y: Instant): Instant {
  return x < y ? x : y
}
