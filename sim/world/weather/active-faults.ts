import { isOfNetwork } from '../../scenario.ts'
import type { Fault, FaultKind, LinkFault, NetworkFault, ProviderFault, SiteFault } from '../../scenario.ts'

/** The faults that are on. Those of one kind at one place may overlap: conditions are worked out anew from all. */
export class ActiveFaults {
  readonly #faults = new Set<Fault>()

  get isEmpty(): boolean {
    return this.#faults.size === 0
  }

  add(fault: Fault): void {
    this.#faults.add(fault)
  }

  remove(fault: Fault): void {
    this.#faults.delete(fault)
  }

  /** Of one link, in the order in which they began. */
  *ofLink(site: number, provider: number): Iterable<LinkFault> {
    for (const fault of this.#faults)
      if (isAtLink(fault) && fault.site === site && fault.provider === provider) yield fault
  }

  *ofProvider(provider: number): Iterable<ProviderFault> {
    for (const fault of this.#faults) if (isAtProvider(fault) && fault.provider === provider) yield fault
  }

  /** In the order in which they began. */
  ofNetwork(): readonly NetworkFault[] {
    return [...this.#faults].filter(isOfNetwork)
  }

  *ofSite(site: number): Iterable<SiteFault> {
    for (const fault of this.#faults) if (isAtSite(fault) && fault.site === site) yield fault
  }
}

/** How bad the worst of these kinds is; 0 when there is none. */
export function worstOf(faults: Iterable<Fault>, ...kinds: readonly FaultKind[]): number {
  let worst = 0
  for (const { kind, strength } of faults) if (kinds.includes(kind)) worst = Math.max(worst, strength, 0.01)
  return worst
}

export function isAtLink(fault: Fault): fault is LinkFault {
  return 'site' in fault && 'provider' in fault
}

export function isAtProvider(fault: Fault): fault is ProviderFault {
  return 'provider' in fault && !('site' in fault)
}

export function isAtSite(fault: Fault): fault is SiteFault {
  return 'site' in fault && !('provider' in fault)
}
