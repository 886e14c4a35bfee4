import type { WorldView } from './invariant.ts'

/**
 * When no attack is on, a session comes back from TCP to UDP where UDP gets through again (RFC 9132 §4.3). Not an invariant
 * of the storm: empty within a bound after the last attack.
 */
export function sessionsOverTcp({ customers }: WorldView): string[] {
  return customers.flatMap((customer) => {
    const sessions = customer.status()?.sessions ?? []
    // What is preconfigured may be in force, for nobody knows but the operator whether the attack goes on.
    const idle = sessions.filter(({ activity }) => activity === 'idle')
    const overTcp = idle.filter(({ path }) => path?.transport === 'tcp')
    return overTcp.map(({ domain }) => `site ${customer.plan.number} still talks to ${domain} over TCP`)
  })
}
