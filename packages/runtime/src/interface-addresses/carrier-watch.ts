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

/** `5: wan-a@if4: <NO-CARRIER,BROADCAST,UP> mtu 1500` */
const LINK_MESSAGE = /^\d+: ([^\s@:]+)(?:@\S+)?: <([A-Z0-9,_-]*)>/gm

/**
 * An `ip monitor` that also tells of carriers. What its messages say of one is told before anything is read, because on a busy
 * machine a reading alone may take a tenth of a second; then all are read in the format that is meant for it, one reading at a
 * time.
 */
export class CarrierWatch implements AddressWatch {
  readonly #options: CarrierWatchOptions
  readonly #monitor: IpMonitor
  #known: Carriers = new Map()
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
      onMessage: (text) => {
        this.#hear(text)
        this.#look()
      }
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#planned?.cancel()
    await this.#monitor.close()
    await this.#reading
  }

  /** Nothing that is not known already is believed: a message may be torn, or in another format. */
  #hear(text: string): void {
    for (const [, name = '', flags = ''] of text.matchAll(LINK_MESSAGE)) {
      const words = flags.split(',')
      const isUp = words.includes('UP') && words.includes('LOWER_UP')
      if (this.#known.has(name) && this.#known.get(name) !== isUp)
        this.#tell(new Map([...this.#known, [name, isUp]]))
    }
  }

  #tell(carriers: Carriers): void {
    this.#known = carriers
    this.#options.onCarriers(carriers)
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
    const carriers = await ipOutput(this.#options.ip, ['-json', 'link', 'show'])
      .then(carriersOfIpLink)
      .catch(() => undefined)
    // Without a word of the system everything stays as it was; whoever reads addresses says why in the log.
    if (carriers === undefined || this.#isClosed) return
    // Read before a message that came meanwhile: it would tell what is over. It is read again.
    if (!this.#isStale || this.#known.size === 0) this.#tell(carriers)
  }
}
