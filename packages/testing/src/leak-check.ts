import { InternalError, Milliseconds } from '@breakwater/core'
import type { Duration, Machine } from '@breakwater/core'
import type { SimulatedNetwork } from './sim/network.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Says what is left, as a text for people; undefined when nothing is. */
type Probe = () => string | undefined

/** Longer than anything stays under way on a simulated network in good weather. */
const defaultSettling = Milliseconds(500)

/**
 * Finds what a test left behind: scheduled calls, open sockets, machines that still want to be woken.
 *
 * ```ts
 * const leaks = new LeakCheck()
 * afterEach(() => leaks.check())
 *
 * it('…', async () => {
 *   const clock = leaks.clock(new VirtualClock())
 *   const session = leaks.machine('session', new CoapSession(…))
 * })
 * ```
 */
export class LeakCheck {
  readonly #settling: Duration
  #clocks: VirtualClock[] = []
  #probes: Probe[] = []

  /** @param settling how long a clock goes on before it is looked at, so that datagrams under way arrive. */
  constructor(settling: Duration = defaultSettling) {
    this.#settling = settling
  }

  /** Watches for scheduled calls. Returns the clock. */
  clock(clock: VirtualClock): VirtualClock {
    this.#clocks.push(clock)
    this.count('scheduled calls', () => clock.pending())
    return clock
  }

  /** Watches for endpoints that were not destroyed. Returns the network. */
  network(network: SimulatedNetwork): SimulatedNetwork {
    this.count('open sockets', () => network.openSockets)
    return network
  }

  /** Watches for a timeout that is still set and outputs that nobody took. Returns the machine. */
  machine<Watched extends Machine<never, unknown>>(name: string, machine: Watched): Watched {
    this.#probes.push(() => {
      const timeout = machine.nextTimeout()
      return timeout === undefined ? undefined : `${name} wants to be woken at ${timeout} ms`
    })
    this.#probes.push(() =>
      machine.poll() === undefined ? undefined : `${name} has output that nobody took`
    )
    return machine
  }

  /** Watches a number that is 0 when everything was tidied up; for things of a real host, too. */
  count(name: string, left: () => number): void {
    this.#probes.push(() => {
      const count = left()
      return count === 0 ? undefined : `${count} ${name}`
    })
  }

  /**
   * Looks at everything and forgets it, ready for the next test.
   * @throws InternalError `TESTING_LEAK` that names all that is left.
   */
  async check(): Promise<void> {
    const probes = this.#probes
    const clocks = this.#clocks
    this.#probes = []
    this.#clocks = []
    for (const clock of clocks) await clock.advance(this.#settling)
    const left = probes.map((probe) => probe()).filter((text) => text !== undefined)
    if (left.length > 0) throw new InternalError('TESTING_LEAK', `left behind: ${left.join('; ')}`)
  }
}
