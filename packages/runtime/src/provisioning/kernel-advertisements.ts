import { Seconds, after, formatIpAddress } from '@breakwater/core'
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
import { Rereading } from '../rereading.ts'
import type { NamesOfLink } from './advertised-names/advertised-names.ts'
import { NameWatch } from './advertised-names/name-watch.ts'
import { advertisedPrefixes } from './advertised-prefixes.ts'

export interface KernelAdvertisementsOptions {
  /** What stands before `ip`, `rtmon` and `rdisc6`, such as `ip netns exec NAME`. Default: nothing. */
  readonly prefix?: readonly string[]
  /** Where routers are asked for advertisements at the start, if `rdisc6` is there. Default: nowhere. */
  readonly interfaces?: readonly string[]
  /** Default: the clock of the system. */
  readonly clock?: Clock
}

/** The kernel counts whole seconds down: what differs by no more is the same end. */
const SAME_END = Seconds(5)

/**
 * What the Linux kernel took from advertisements of routers, told by interface: prefixes and routers that it keeps, and the
 * name servers and search domains that it only passes on (RFC 8106).
 */
export function kernelAdvertisements(options: KernelAdvertisementsOptions = {}): ProvisioningSource {
  return {
    name: 'advertisements',
    watch: (listener) => new AdvertisementReader(options, listener)
  }
}

class AdvertisementReader implements ProvisioningWatch {
  readonly ready: Promise<void>
  readonly #ip: IpCommand
  readonly #clock: Clock
  readonly #listener: ProvisioningListener
  readonly #monitor: IpMonitor
  readonly #names: NameWatch
  readonly #reading = new Rereading(() => this.#read())
  /** Interface → what was told of it, with the moments at which it ends. */
  readonly #told = new Map<string, readonly (readonly [what: string, end: number])[]>()
  #complaint: string | undefined

  constructor(options: KernelAdvertisementsOptions, listener: ProvisioningListener) {
    const { prefix = [], interfaces = [], clock = systemClock() } = options
    const [first, ...others] = [...prefix, 'ip']
    this.#ip = [first, ...others]
    this.#clock = clock
    this.#listener = listener
    this.#monitor = new IpMonitor({ ip: this.#ip, clock, onChange: () => void this.#reading.want() })
    this.#names = new NameWatch({
      prefix,
      interfaces,
      clock,
      onChange: () => this.#monitor.look(),
      onRefused: (place, reason) => listener.refused(place, reason)
    })
    this.ready = this.#reading.want()
  }

  async close(): Promise<void> {
    await Promise.all([this.#reading.close(), this.#monitor.close(), this.#names.close()])
  }

  async #read(): Promise<void> {
    try {
      const [addresses, kernel, advertised] = await Promise.all([
        ipOutput(this.#ip, ['-json', '-6', 'address', 'show', 'up']),
        // By their kind: a router may have a whole table of the Internet besides.
        ipOutput(this.#ip, ['-json', '-6', 'route', 'show', 'proto', 'kernel']),
        ipOutput(this.#ip, ['-json', '-6', 'route', 'show', 'proto', 'ra'])
      ])
      const found = advertisedPrefixes(addresses, { kernel, advertised })
      if (!this.#reading.isClosed) this.#tell(withNames(found, this.#names.known(this.#clock.now())))
      this.#complaint = undefined
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
      if (reason !== this.#complaint && !this.#reading.isClosed)
        this.#listener.refused('advertisements of the kernel', reason)
      this.#complaint = reason
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

function withNames(
  found: ReadonlyMap<string, LearntConfiguration>,
  names: ReadonlyMap<string, NamesOfLink>
): ReadonlyMap<string, LearntConfiguration> {
  const all = new Map(found)
  for (const [via, named] of names) {
    const bare = { interface: via, origin: 'ra', prefixes: [], addresses: [], gateways: [] } as const
    all.set(via, { ...(found.get(via) ?? bare), ...named })
  }
  return all
}

function endsOf(
  { prefixes, gateways, resolvers, searchDomains }: LearntConfiguration,
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
    ...gateways.map(({ address, valid }) => [`via ${formatIpAddress(address)}`, end(valid)] as const),
    ...resolvers.map(({ address, valid }) => [`dns ${formatIpAddress(address)}`, end(valid)] as const),
    ...searchDomains.map(({ name, valid }) => [`in ${name}`, end(valid)] as const)
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
