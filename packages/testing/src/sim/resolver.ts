import { Milliseconds, UnavailableError, after } from '@breakwater/core'
import type { Clock, Duration } from '@breakwater/core'
import type { NameAnswer, Resolver } from '@breakwater/dots'

/** A name service in a simulated world: what it knows, how slow it is, and whether it answers at all. */
export class SimulatedNameService {
  readonly names: Map<string, NameAnswer> = new Map()
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
      resolve: (name) =>
        new Promise((resolve, reject) => {
          open.add(reject)
          const inTime = !this.isDead && this.latency <= timeLimit
          const at = after(this.#clock.now(), inTime ? this.latency : timeLimit)
          this.#clock.schedule(at, () => {
            if (!open.delete(reject)) return
            if (inTime) resolve(this.names.get(name) ?? { kind: 'no-such-name', ttlSeconds: 30 })
            else reject(new UnavailableError('SIM_NAMES', `${name}: no answer in time`, true))
          })
        }),
      close: () => {
        for (const reject of open) reject(new UnavailableError('SIM_NAMES', 'the resolver was closed', true))
        open.clear()
        return Promise.resolve()
      }
    }
  }
}
