import { Seconds, after, between } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { VirtualClock } from '@breakwater/testing'
import { isOfNetwork } from '../../scenario.ts'
import type { Fault, FaultKind } from '../../scenario.ts'
import type { Customer } from '../customer.ts'
import type { Provider } from '../provider.ts'
import { ActiveFaults, isAtLink, isAtProvider } from './active-faults.ts'
import { changeLink } from './link-weather.ts'
import { changeProvider } from './provider-weather.ts'
import { changeSite } from './site-weather.ts'

/** Does what goes wrong, and undoes it. */
export class Weather {
  /** How often each kind of fault struck. */
  readonly struck = new Map<FaultKind, number>()
  /** When each provider last had a fault of disk, device or process; for checks that need a sound one. */
  readonly #providerTroubledAt = new Map<number, Instant>()
  readonly #clock: VirtualClock
  readonly #customers: readonly Customer[]
  readonly #providers: readonly Provider[]
  readonly #active = new ActiveFaults()
  /** When a fault last began or ended. */
  #changedAt: Instant | undefined

  constructor(clock: VirtualClock, customers: readonly Customer[], providers: readonly Provider[]) {
    this.#clock = clock
    this.#customers = customers
    this.#providers = providers
  }

  /** Plans faults; their times count from now. */
  expect(faults: readonly Fault[]): void {
    const start = this.#clock.now()
    for (const fault of faults) {
      const from = after(start, Seconds(fault.at))
      this.#clock.schedule(from, () => this.#begin(fault))
      this.#clock.schedule(after(from, Seconds(fault.lasts)), () => this.#end(fault))
    }
  }

  /** Whether a provider has, or had in the last `seconds`, a fault other than of its links. */
  isTroubled(provider: number, seconds: number): boolean {
    for (const fault of this.#active.ofProvider(provider)) if (isOfHouse(fault)) return true
    const at = this.#providerTroubledAt.get(provider)
    return at !== undefined && after(at, Seconds(seconds)) > this.#clock.now()
  }

  /** Whether nothing is wrong anywhere, and has not been for so long. */
  isCalm(duration: Duration): boolean {
    if (!this.#active.isEmpty) return false
    return this.#changedAt === undefined || between(this.#changedAt, this.#clock.now()) > duration
  }

  #begin(fault: Fault): void {
    this.#active.add(fault)
    if (this.#change(fault, true)) this.struck.set(fault.kind, (this.struck.get(fault.kind) ?? 0) + 1)
  }

  #end(fault: Fault): void {
    this.#active.remove(fault)
    this.#change(fault, false)
  }

  /** @returns whether it made a difference. */
  #change(fault: Fault, isBeginning: boolean): boolean {
    this.#changedAt = this.#clock.now()
    if (isOfNetwork(fault)) {
      for (const customer of this.#customers) customer.changeNetwork(this.#active.ofNetwork(), fault)
      return true
    }
    if (isAtProvider(fault)) {
      const provider = this.#providers[fault.provider]
      if (isOfHouse(fault)) this.#providerTroubledAt.set(fault.provider, this.#clock.now())
      return (
        provider !== undefined && changeProvider(provider, this.#customers, fault, isBeginning, this.#active)
      )
    }
    const customer = this.#customers[fault.site]
    if (customer === undefined) return false
    return isAtLink(fault)
      ? changeLink(customer, fault, isBeginning, this.#active)
      : changeSite(customer, fault, isBeginning, this.#active)
  }
}

/** Not of what lies between it and its customers. */
function isOfHouse({ kind }: Fault): boolean {
  return kind !== 'partition' && kind !== 'certificate-expiry' && kind !== 'redirect'
}
