import { isForEver } from '../world/weather/provider-weather.ts'
import { serverOf } from './agreement.ts'
import type { WorldView } from './invariant.ts'

/**
 * When no attack is on, a session that was sent to another server comes back when the time of the redirect is over
 * (RFC 9132 §4.6). Not an invariant of the storm: empty within a bound after the last attack.
 */
export function strayedSessions(view: WorldView): string[] {
  const { scenario, layout, customers } = view
  const mayStay = new Set(
    scenario.faults.flatMap((fault) =>
      fault.kind === 'redirect' && isForEver(fault.strength) ? [fault.provider] : []
    )
  )
  return customers.flatMap((customer) => {
    const sessions = customer.status()?.sessions ?? []
    return sessions
      .filter(({ state, activity }) => state === 'established' && activity === 'idle')
      .map((session) => serverOf(view, session))
      .filter((server) => {
        const { standsFor = server } = layout.servers[server] ?? {}
        return standsFor !== server && !mayStay.has(standsFor)
      })
      .map((server) => `site ${customer.plan.number} is still with server ${server}`)
  })
}
