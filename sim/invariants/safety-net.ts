import { formatIpPrefix } from '@breakwater/core'
import type { Customer } from '../world/customer.ts'
import { WHOLE, isCovered } from './coverage.ts'
import type { WorldView } from './invariant.ts'

/**
 * Liveness: what was preconfigured for a domain stands by with one of each of its servers that stand in for one another, as
 * far as it is the domain's own, and nothing else does (RFC 9132 §4.4.1.1, RFC 9284 §5.1).
 */
export function safetyNetFaults({ layout, clock }: WorldView, customer: Customer): string[] {
  const { plan } = customer
  const standing = (customer.status()?.requests ?? []).filter(({ trigger }) => trigger === 'signal-loss')
  return plan.domains.flatMap(({ number: domain }) => {
    const called = layout.servers.filter(({ home }) => home === domain).map((each) => each.called)
    const there = standing
      .filter(({ server }) => called.includes(server))
      .flatMap(({ target }) => target.prefixes)
    // Other domains that are entitled to the same prefix hear of what was preconfigured for them.
    const wanted = plan.oracle
      .standsBy(domain, clock.now())
      .map(({ servers, prefixes }) => ({
        prefixes,
        names: servers.map((each) => layout.servers[each]?.called)
      }))
      .filter(({ names }) => names.some((name) => called.some((each) => each === name)))
    const unheld = wanted.flatMap(({ names, prefixes }) => {
      const own = standing.filter(({ server }) => names.includes(server)).map(({ target }) => target)
      return prefixes.filter((prefix) => !isCovered(prefix, WHOLE, own))
    })
    const whole = { ...WHOLE, prefixes: wanted.flatMap(({ prefixes }) => prefixes) }
    const unwanted = there.filter((prefix) => !isCovered(prefix, WHOLE, [whole]))
    return [
      ...unheld.map((prefix) => `nobody of domain ${domain} stands by for ${formatIpPrefix(prefix)}`),
      ...unwanted.map(
        (prefix) => `domain ${domain} stands by for ${formatIpPrefix(prefix)} without being asked`
      )
    ].map((text) => `site ${plan.number}: ${text}`)
  })
}
