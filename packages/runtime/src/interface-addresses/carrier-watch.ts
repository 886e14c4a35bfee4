import { Milliseconds, after } from '@breakwater/core'
import type { Instant, ScheduledCall } from '@breakwater/core'
import type { AddressWatch, Carriers } from '@breakwater/dots'
import { ipOutput } from '../ip-command.ts'
import { carriersOfIpLink } from './ip-link.ts'
import { IpMonitor } from './ip-monitor.ts'
import type { IpMonitorOptions } from './ip-monitor.ts'

/** In a storm of messages, so often at most. The first one waits for nothing: a lost carrier is news of the urgent kind. */
const PACE = Milliseconds(50)

export interface CarrierWatchOptions extends Omit<IpMonitorOptions, 'onMessage'> {
  readonly onCarriers: (carriers: Carriers) => void
}

/** An `ip monitor` that also tells of carriers, at once: on each message they are read, one reading at a time. */
export class CarrierWatch implements AddressWatch {
  readonly #options: CarrierWatchOptions
  readonly #monitor: IpMonitor
  #lastRead: Instant | undefined
  #planned: ScheduledCall | undefined
  #reading: Promise<void> | undefined
  #isStale = false
  #isClosed = false

  constructor(options: CarrierWatchOptions) {
    this.#options = options
    const { ip, clock, onChange } = options
    this.#monitor = new IpMonitor({
      ip,
      clock,
      onChange: () => {
        onChange()
        this.#look()
      },
      onMessage: () => this.#look()
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#planned?.cancel()
    await this.#monitor.close()
    await this.#reading
  }

  #look(): void {
    this.#isStale = true
    if (this.#isClosed || this.#reading !== undefined || this.#planned !== undefined) return
    const { clock } = this.#options
    const earliest = this.#lastRead === undefined ? undefined : after(this.#lastRead, PACE)
    if (earliest === undefined || earliest <= clock.now()) this.#begin()
    else
      this.#planned = clock.schedule(earliest, () => {
        this.#planned = undefined
        this.#begin()
      })
  }

  #begin(): void {
    this.#isStale = false
    this.#lastRead = this.#options.clock.now()
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined
      // What came meanwhile may be newer than what was read.
      if (this.#isStale) this.#look()
    })
  }

  async #read(): Promise<void> {
    const { ip, onCarriers } = this.#options
    const carriers = await ipOutput(ip, ['-json', 'link', 'show'])
      .then(carriersOfIpLink)
      .catch(() => undefined)
    // Without a word of the system everything stays as it was; whoever reads addresses says why in the log.
    if (carriers !== undefined && !this.#isClosed) onCarriers(carriers)
  }
}
