import { Seconds, after, parseIpAddress } from '@breakwater/core'
import type { Clock, Duration, ScheduledCall } from '@breakwater/core'
import type { NextHopQuestion, NextHops } from '../../domain/next-hops.ts'
import type { PathReport } from '../path-report.ts'
import { leavingOf, nextHopText } from './next-hop.ts'
import type { KnownNextHops } from './next-hop.ts'

/** A route that was changed by hand is noticed within this time. */
const PERIOD: Duration = Seconds(60)

/** So many questions at most in one look, each of which may be a process of its own. */
const MOST_QUESTIONS = 32

/** Tells a client by which routers its paths lead, at the start, when something has changed, and every minute. */
export class NextHopWatch {
  readonly #nextHops: NextHops
  readonly #clock: Clock
  readonly #paths: () => readonly PathReport[]
  readonly #tell: (hops: KnownNextHops) => void
  #next: ScheduledCall | undefined
  #state: 'idle' | 'reading' | 'stale' | 'stopped' = 'idle'

  /** @param paths Whose next hops are of interest. */
  constructor(
    nextHops: NextHops,
    clock: Clock,
    paths: () => readonly PathReport[],
    tell: (hops: KnownNextHops) => void
  ) {
    this.#nextHops = nextHops
    this.#clock = clock
    this.#paths = paths
    this.#tell = tell
  }

  /** Something has changed, or it is time: one reading at a time. */
  look(): void {
    if (this.#state === 'stopped') return
    this.#next?.cancel()
    this.#next = this.#clock.schedule(after(this.#clock.now(), PERIOD), () => this.look())
    if (this.#state === 'idle') void this.#read()
    else this.#state = 'stale'
  }

  stop(): void {
    this.#next?.cancel()
    this.#state = 'stopped'
  }

  async #read(): Promise<void> {
    this.#state = 'reading'
    const hops = await this.#known()
    if (this.#isStopped()) return
    this.#tell(hops)
    const isStale = this.#isStale()
    this.#state = 'idle'
    if (isStale) void this.#read()
  }

  // Functions: the state may have changed while something was waited for.
  #isStopped(): boolean {
    return this.#state === 'stopped'
  }

  #isStale(): boolean {
    return this.#state === 'stale'
  }

  /** A server on the link itself has none: another destination may have one by the same interface and source. */
  async #known(): Promise<KnownNextHops> {
    const hops = new Map<string, string>()
    for (const { leaving, question } of questionsOf(this.#paths())) {
      if (hops.has(leaving) || this.#isStopped()) continue
      const hop = await this.#nextHops.of(question)
      if (hop !== undefined) hops.set(leaving, nextHopText(hop))
    }
    return hops
  }
}

interface Asked {
  readonly leaving: string
  readonly question: NextHopQuestion
}

function questionsOf(paths: readonly PathReport[]): readonly Asked[] {
  const questions = new Map<string, Asked>()
  for (const { source: from, interface: via, remote: to } of paths) {
    const [source, destination] = [parseIpAddress(from), parseIpAddress(to)]
    if (source === undefined || destination === undefined) continue
    const leaving = leavingOf({ via, source: from })
    questions.set(`${leaving} ${to}`, { leaving, question: { destination, source, interface: via } })
  }
  return [...questions.values()].slice(0, MOST_QUESTIONS)
}
