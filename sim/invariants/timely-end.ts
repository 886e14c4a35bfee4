import { Seconds, after } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import { MAXIMUM_ACTIVE_BUT_TERMINATING } from '@breakwater/dots'
import type { Provider } from '../world/provider.ts'
import type { LedgerEntry } from '../world/ledger.ts'
import type { MakeInvariant, WorldView } from './invariant.ts'

/** A server tries again within a minute what its filter device refused. */
const RETRY: Duration = Seconds(70)

/** A provider is sound when nothing has been wrong with it for so long, in seconds. */
const SOUND_AFTER_SECONDS = 130

/**
 * No mitigation outlives its lifetime and grace, and a withdrawn one leaves no rule behind: what a sound server has, and
 * what its filter device does, was asked for, is not over, and was not withdrawn longer ago than the longest grace
 * period (RFC 9132 §4.4.4).
 */
export const timelyEnd: MakeInvariant = (view) => ({
  name: 'timely-end',
  sample(report) {
    for (const provider of view.providers) {
      if (provider.server === undefined || view.weather.isTroubled(provider.number, SOUND_AFTER_SECONDS))
        continue
      for (const key of keysOf(provider)) {
        const entries = view.ledger.find(provider.number, key)
        if (entries.length === 0) report(`provider ${provider.number} has ${key}, which nobody asked for`)
        else if (entries.every((entry) => after(endOf(entry, view), RETRY) < view.clock.now()))
          report(`provider ${provider.number} still has ${key}, which is over`)
      }
    }
  }
})

/** Keys of mitigations and of rules. */
function keysOf({ server, device }: Provider): Set<string> {
  const mitigations = (server?.mitigations() ?? []).map(({ cuid, mitigationId }) => `${cuid}/${mitigationId}`)
  return new Set([...mitigations, ...[...device.rules.keys()].map(mitigationOfPlan)])
}

/** The key of the mitigation whose plan this is: `<cuid>/<mid>`. */
export function mitigationOfPlan(plan: string): string {
  return plan.slice(0, plan.lastIndexOf('/'))
}

/** A grace period counts from the withdrawal, and may go on after the lifetime would have been over. */
function endOf(entry: LedgerEntry, { ledger }: WorldView): Instant {
  const { withdrawnAt, heirs, isDoubtful } = entry
  const countsFromWithdrawal = withdrawnAt !== undefined && heirs.size === 0 && !isDoubtful
  return after(countsFromWithdrawal ? withdrawnAt : ledger.boundOf(entry), MAXIMUM_ACTIVE_BUT_TERMINATING)
}
