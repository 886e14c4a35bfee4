import type { ProtectionStatus } from '@breakwater/dots'
import type { Expectation } from '../oracle/facts.ts'
import type { MakeInvariant } from './invariant.ts'

/**
 * Nothing that is wanted and not protected is passed over in silence: each server that does not protect it says in words
 * why not yet, and what nobody is asked about is listed with the reason: nobody's, left to others by a filter, internal and
 * translated by nobody, or of a domain without a server.
 */
export const neverSilent: MakeInvariant = ({ customers, clock }) => ({
  name: 'never-silent',
  sample(report) {
    for (const customer of customers) {
      const { plan, wishes } = customer
      for (const status of customer.status()?.protections ?? []) {
        const request = wishes.wanted.get(status.id)
        if (request === undefined) continue
        for (const lack of lacksOf(status, wishes.expect(request, clock.now())))
          report(`protection ${status.id} of site ${plan.number} ${lack}`)
      }
    }
  }
})

function lacksOf(
  { state, servers, missing }: ProtectionStatus,
  expectation: Expectation | undefined
): string[] {
  const lacks: string[] = []
  for (const { server, state: standing, text } of servers) {
    const isSaid = missing.some((each) => each.server === server && each.text !== '')
    if (standing !== 'in-force' && (text === '' || !isSaid)) lacks.push(`says nothing of ${server}`)
  }
  if (expectation === undefined) return lacks
  const { isForeign, isFiltered, isWaiting, isRefused, uncovered } = expectation
  const saysOf = (kind: ProtectionStatus['missing'][number]['kind']): boolean =>
    missing.some((each) => each.kind === kind && each.server === undefined && each.text !== '')
  if (isForeign && !saysOf('foreign')) lacks.push('does not say that a part of it is nobody’s')
  if (isFiltered && !saysOf('filtered'))
    lacks.push('does not say that a filter leaves a part of it to others')
  if (isWaiting && !saysOf('waiting')) lacks.push('does not say that nobody translates a part of it')
  if (uncovered.length > 0 && !isRefused && !saysOf('uncovered'))
    lacks.push('does not say that a domain has no server')
  if (state !== 'protected' && missing.length === 0) lacks.push(`is ${state}, and nobody says why`)
  return lacks
}
