import { execFile } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import { DecodeError } from '@breakwater/core'
import type { Clock, Instant } from '@breakwater/core'
import { KeptProgram } from '../../kept-program.ts'
import { AdvertisedNames } from './advertised-names.ts'
import type { NamesOfLink } from './advertised-names.ts'
import { NetlinkStream } from './netlink-stream.ts'

export interface NameWatchOptions {
  /** What must stand before programs, such as `ip netns exec NAME`. */
  readonly prefix: readonly string[]
  readonly clock: Clock
  /** Routers are asked for advertisements here at the start: what they said before is told to nobody. */
  readonly interfaces: readonly string[]
  /** `names()` says something else now. */
  readonly onChange: () => void
  readonly onRefused: (place: string, reason: string) => void
}

/**
 * `rtmon` of iproute2 subscribes to all that rtnetlink tells, options of advertisements among it, and writes it down as it is,
 * needing no privilege; `ip monitor` leaves the options out. It opens its file by name, which goes with a pipe and not with the
 * socket that Node gives its children: hence `cat`.
 */
const RTMON = 'PATH=$PATH:/usr/sbin:/sbin; "$@" file /dev/stdout | exec cat'

/** Three solicitations, a second each (RFC 4861 §6.3.7); the kernel hears the answer, and tells. */
const RDISC6 = ['rdisc6', '-q', '-1', '-r', '3', '-w', '1000'] as const

const LONGEST_SOLICITATION_MS = 5000

/** Complaints that were made are not made again; of so many it is known. */
const MOST_COMPLAINTS = 64

const PLACE = 'name servers in advertisements'

/** Hears from the kernel of the name servers and search domains that routers advertise. */
export class NameWatch {
  readonly #options: NameWatchOptions
  readonly #names = new AdvertisedNames()
  readonly #complaints = new Set<string>()
  readonly #program: KeptProgram
  readonly #solicitations = new AbortController()
  #stream = new NetlinkStream()
  #hasTold = false

  constructor(options: NameWatchOptions) {
    this.#options = options
    // Each interface is asked on by a program of its own, which listens.
    setMaxListeners(0, this.#solicitations.signal)
    this.#program = new KeptProgram({
      command: ['sh', '-c', RTMON, 'sh', ...options.prefix, 'rtmon'],
      clock: options.clock,
      onStart: () => {
        this.#stream = new NetlinkStream()
        this.#hasTold = false
      },
      onOutput: (bytes) => this.#hear(bytes),
      onEnd: () => {
        // It begins with the links that there are.
        if (!this.#hasTold) this.#complain(PLACE, 'rtmon, which is of iproute2, tells nothing')
      }
    })
  }

  known(now: Instant): ReadonlyMap<string, NamesOfLink> {
    return this.#names.known(now)
  }

  async close(): Promise<void> {
    this.#solicitations.abort()
    await this.#program.close()
  }

  #hear(bytes: Buffer): void {
    const now = this.#options.clock.now()
    let isChanged = false
    try {
      for (const message of this.#stream.push(bytes)) {
        const news = this.#names.take(message, now)
        if (news?.kind === 'refused') this.#complain(`advertisements by ${news.via}`, news.reason)
        // Of what is refused, a part may have been taken.
        isChanged ||= news !== undefined
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#complain(PLACE, error.message)
      this.#program.end()
    }
    // Only now: whoever asks before is told by a router that the kernel hears, and nobody else.
    if (!this.#hasTold) this.#solicit()
    this.#hasTold = true
    if (isChanged) this.#options.onChange()
  }

  /** Where `rdisc6` is missing, or may not, the next advertisement is waited for. */
  #solicit(): void {
    const limits = { timeout: LONGEST_SOLICITATION_MS, signal: this.#solicitations.signal }
    for (const via of this.#options.interfaces) {
      const [file, ...args] = [...this.#options.prefix, ...RDISC6, via]
      execFile(file, args, limits, () => undefined)
    }
  }

  #complain(place: string, reason: string): void {
    const complaint = `${place}: ${reason}`
    if (this.#complaints.has(complaint) || this.#complaints.size >= MOST_COMPLAINTS) return
    this.#complaints.add(complaint)
    this.#options.onRefused(place, reason)
  }
}
