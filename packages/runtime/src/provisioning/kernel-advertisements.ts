import { Seconds, after } from '@breakwater/core'
import type { Clock, Instant } from '@breakwater/core'
import type {
  FactLifetime,
  LearntConfiguration,
  ProvisioningListener,
  ProvisioningSource,
  ProvisioningWatch
} from '@breakwater/dots'
import { systemClock } from '../clock.ts'
import { IpMonitor } from '../interface-addresses/ip-monitor.ts'
import { ipOutput } from '../ip-command.ts'
import type { IpCommand } from '../ip-command.ts'
import { advertisedPrefixes } from './advertised-prefixes.ts'

export interface KernelAdvertisementsOptions {
  /** Default `ip`. */
  readonly ip?: IpCommand
  /** Default: the clock of the system. */
  readonly clock?: Clock
}

/** The kernel counts whole seconds down: what differs by no more is the same end. */
const SAME_END = Seconds(5)

/**
 * What the Linux kernel took from advertisements of routers, told by interface. It keeps neither name servers nor search
 * domains; a DHCP client that listens to advertisements may tell these by its hook.
 */
export function kernelAdvertisements(options: KernelAdvertisementsOptions = {}): ProvisioningSource {
  return {
    name: 'advertisements',
    watch: (listener) =>
      new AdvertisementReader(options.ip ?? ['ip'], options.clock ?? systemClock(), listener)
  }
}

class AdvertisementReader implements ProvisioningWatch {
  readonly ready: Promise<void>
  readonly #ip: IpCommand
  readonly #clock: Clock
  readonly #listener: ProvisioningListener
  readonly #monitor: IpMonitor
  /** Interface → what was told of it, with the moments at which it ends. */
  readonly #told = new Map<string, readonly (readonly [what: string, end: number])[]>()
  #reading: Promise<void> | undefined
  #isStale = false
  #isClosed = false
  #complaint: string | undefined

  constructor(ip: IpCommand, clock: Clock, listener: ProvisioningListener) {
    this.#ip = ip
    this.#clock = clock
    this.#listener = listener
    this.#monitor = new IpMonitor({ ip, clock, onChange: () => this.#read() })
    this.#read()
    this.ready = this.#reading ?? Promise.resolve()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#monitor.close()
    await this.#reading
  }

  #read(): void {
    this.#isStale = true
    this.#reading ??= this.#readWhileStale().finally(() => {
      this.#reading = undefined
    })
  }

  async #readWhileStale(): Promise<void> {
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false
      try {
        const [addresses, kernel, advertised] = await Promise.all([
          ipOutput(this.#ip, ['-json', '-6', 'address', 'show', 'up']),
          // By their kind: a router may have a whole table of the Internet besides.
          ipOutput(this.#ip, ['-json', '-6', 'route', 'show', 'proto', 'kernel']),
          ipOutput(this.#ip, ['-json', '-6', 'route', 'show', 'proto', 'ra'])
        ])
        if (!this.#isClosed) this.#tell(advertisedPrefixes(addresses, { kernel, advertised }))
        this.#complaint = undefined
      } catch (error) {
        const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
        if (reason !== this.#complaint && !this.#isClosed)
          this.#listener.refused('advertisements of the kernel', reason)
        this.#complaint = reason
      }
    }
  }

  #tell(found: ReadonlyMap<string, LearntConfiguration>): void {
    for (const via of this.#told.keys())
      if (!found.has(via)) {
        this.#told.delete(via)
        this.#listener.withdrawn(via)
      }
    const now = this.#clock.now()
    for (const [via, configuration] of found) {
      const ends = endsOf(configuration, now)
      if (isSame(this.#told.get(via), ends)) continue
      this.#told.set(via, ends)
      this.#listener.learnt(via, configuration)
    }
  }
}

function endsOf(
  { prefixes, gateways }: LearntConfiguration,
  now: Instant
): (readonly [what: string, end: number])[] {
  const end = (lifetime: FactLifetime): number =>
    lifetime === 'unlimited' ? Number.POSITIVE_INFINITY : after(now, lifetime)
  return [
    ...prefixes.flatMap(({ prefix, valid, preferred }) => {
      const what = JSON.stringify(prefix)
      // A preference that is over stays so, however long ago it ended.
      const preferredEnd = preferred === Seconds(0) ? 0 : end(preferred)
      return [[`${what} valid`, end(valid)] as const, [`${what} preferred`, preferredEnd] as const]
    }),
    ...gateways.map(({ address, valid }) => [JSON.stringify(address), end(valid)] as const)
  ]
}

function isSame(
  before: readonly (readonly [string, number])[] | undefined,
  next: readonly (readonly [string, number])[]
): boolean {
  if (before?.length !== next.length) return false
  const known = new Map(before)
  return next.every(([what, end]) => {
    const old = known.get(what)
    return old !== undefined && (old === end || Math.abs(old - end) <= SAME_END)
  })
}
