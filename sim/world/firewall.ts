import { equalIpAddresses } from '@breakwater/core'
import type { IpFamily, NetworkPath, Transport } from '@breakwater/core'
import { attachmentOf } from '../layout.ts'
import type { ClientPlan } from '../layout.ts'

/** What a firewall tells traffic by. */
export type TrafficKind = Transport | IpFamily

/** What the links of a site let nothing of through. */
export class Firewall {
  readonly #plan: ClientPlan
  /** By provider. */
  readonly #blocked = new Map<number, readonly TrafficKind[]>()

  constructor(plan: ClientPlan) {
    this.#plan = plan
  }

  /** From now on, the link to this provider lets nothing of these kinds through. */
  block(provider: number, kinds: readonly TrafficKind[]): void {
    if (kinds.length === 0) this.#blocked.delete(provider)
    else this.#blocked.set(provider, kinds)
  }

  isBlocked(transport: Transport, { local, remote }: NetworkPath): boolean {
    for (const [provider, kinds] of this.#blocked) {
      if (!kinds.some((kind) => kind === transport || kind === local.address.family)) continue
      const own = attachmentOf(this.#plan, provider)?.addresses ?? []
      if (own.some((each) => equalIpAddresses(each, local.address) || equalIpAddresses(each, remote.address)))
        return true
    }
    return false
  }
}
