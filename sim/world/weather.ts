import { Milliseconds, Seconds, after } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { LinkConditions, VirtualClock } from '@breakwater/testing'
import { interfaceName } from '../addressing.ts'
import type { Fault, FaultKind, LinkFault, ProviderFault, SiteFault } from '../scenario.ts'
import type { Customer } from './customer.ts'
import { MITIGATIONS } from './provider.ts'
import type { Provider } from './provider.ts'

/** Steps of a calendar go this far. */
const LONGEST_STEP_SECONDS = 7200

/**
 * Does what goes wrong, and undoes it. Faults of one kind at one place may overlap, so conditions are always worked out
 * anew from all that are on.
 */
export class Weather {
  /** How often each kind of fault struck. */
  readonly struck = new Map<FaultKind, number>()
  /** When each provider last had a fault of disk, device or process; for checks that need a sound one. */
  readonly providerTroubledAt = new Map<number, Instant>()
  readonly #clock: VirtualClock
  readonly #customers: readonly Customer[]
  readonly #providers: readonly Provider[]
  readonly #active = new Set<Fault>()

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
    if ([...this.#active].some((fault) => isAtProvider(fault) && fault.provider === provider)) return true
    const at = this.providerTroubledAt.get(provider)
    return at !== undefined && after(at, Seconds(seconds)) > this.#clock.now()
  }

  #begin(fault: Fault): void {
    this.#active.add(fault)
    if (this.#change(fault, true)) this.struck.set(fault.kind, (this.struck.get(fault.kind) ?? 0) + 1)
  }

  #end(fault: Fault): void {
    this.#active.delete(fault)
    this.#change(fault, false)
  }

  /** @returns whether it made a difference. */
  #change(fault: Fault, isBeginning: boolean): boolean {
    if (isAtLink(fault)) return this.#changeLink(fault.site, fault.provider)
    if (isAtProvider(fault)) return this.#changeProvider(fault, isBeginning)
    return this.#changeSite(fault, isBeginning)
  }

  #changeLink(site: number, provider: number): boolean {
    const link = this.#customers[site]?.host.link(interfaceName(provider))
    if (link === undefined) return false
    const calm: Partial<LinkConditions> = {
      loss: 0,
      duplicate: 0,
      reorder: 0,
      jitter: Milliseconds(0),
      cut: false
    }
    link.change(calm)
    for (const fault of this.#active)
      if (isAtLink(fault) && fault.site === site && fault.provider === provider) {
        const { up, down } = linkConditions(fault)
        link.up.change(up)
        link.down.change(down)
      }
    return true
  }

  #changeProvider(fault: ProviderFault, isBeginning: boolean): boolean {
    const provider = this.#providers[fault.provider]
    if (provider === undefined) return false
    if (fault.kind !== 'partition') this.providerTroubledAt.set(fault.provider, this.#clock.now())
    const strongest = (kind: FaultKind): number => this.#strongest(kind, fault.provider)
    switch (fault.kind) {
      case 'partition':
        provider.host.link('eth0').change({ cut: strongest('partition') > 0 })
        return true
      case 'server-crash':
        return isBeginning ? crash(provider) : restart(provider, strongest('server-crash') > 0)
      case 'store-slow':
        provider.disk.latencyMilliseconds = 4 + 4000 * strongest('store-slow')
        return true
      case 'store-failing':
        provider.disk.failing = strongest('store-failing')
        return true
      case 'store-damage':
        return isBeginning && provider.disk.damage(MITIGATIONS)
      case 'mitigator-slow':
        provider.device.latencyMilliseconds = 20 + 20_000 * strongest('mitigator-slow')
        return true
      case 'mitigator-failing':
        provider.device.failing = strongest('mitigator-failing')
        return true
      case 'mitigator-hanging':
        provider.device.setHanging(strongest('mitigator-hanging') > 0)
        return true
      case 'mitigator-forgets':
        return isBeginning && provider.device.forget()
      case 'server-clock-step':
        if (isBeginning) provider.stepCalendar(Seconds(stepSeconds(fault.strength)))
        return isBeginning
    }
  }

  #changeSite(fault: SiteFault, isBeginning: boolean): boolean {
    const customer = this.#customers[fault.site]
    if (customer === undefined) return false
    if (fault.kind === 'client-clock-step') {
      if (isBeginning) customer.calendar.step(Seconds(stepSeconds(fault.strength)))
      return isBeginning
    }
    if (isBeginning) {
      if (customer.client === undefined) return false
      customer.crash()
      return true
    }
    const isStillDown = [...this.#active].some(
      (each) => each.kind === 'client-crash' && each.site === customer.plan.number
    )
    if (customer.client === undefined && !isStillDown) customer.start()
    return true
  }

  /** 0 when there is none of this kind at the provider now. */
  #strongest(kind: FaultKind, provider: number): number {
    let strongest = 0
    for (const fault of this.#active)
      if (isAtProvider(fault) && fault.kind === kind && fault.provider === provider)
        strongest = Math.max(strongest, fault.strength, 0.01)
    return strongest
  }
}

function isAtLink(fault: Fault): fault is LinkFault {
  return 'site' in fault && 'provider' in fault
}

function isAtProvider(fault: Fault): fault is ProviderFault {
  return 'provider' in fault && !('site' in fault)
}

interface BothDirections {
  readonly up: Partial<LinkConditions>
  readonly down: Partial<LinkConditions>
}

function both(conditions: Partial<LinkConditions>): BothDirections {
  return { up: conditions, down: conditions }
}

function linkConditions({ kind, strength }: LinkFault): BothDirections {
  switch (kind) {
    case 'loss':
      return both({ loss: 0.02 + 0.6 * strength })
    case 'duplicate':
      return both({ duplicate: 0.05 + 0.9 * strength })
    case 'reorder':
      return both({ reorder: 0.05 + 0.5 * strength, reorderDelay: Milliseconds(20 + 4000 * strength) })
    case 'latency':
      return both({ jitter: Milliseconds(50 + 3000 * strength) })
    case 'black-hole':
      return strength < 0.5 ? { up: { cut: true }, down: {} } : { up: {}, down: { cut: true } }
    case 'inbound-saturation':
      return { up: {}, down: { loss: 0.7 + 0.3 * strength, jitter: Milliseconds(500) } }
    case 'link-cut':
      return both({ cut: true })
  }
}

function stepSeconds(strength: number): number {
  return (2 * strength - 1) * LONGEST_STEP_SECONDS
}

function crash(provider: Provider): boolean {
  if (!provider.isUp) return false
  provider.crash()
  return true
}

function restart(provider: Provider, isStillDown: boolean): boolean {
  if (!provider.isUp && !isStillDown) void provider.start()
  return true
}
