import { prefixContains } from '@breakwater/core'
import type { ProtectionRequest, ProtectionStatus } from '@breakwater/dots'
import { assignedPrefixes, ownPrefixes, prefix } from '../addressing.ts'
import type { SitePlan } from '../scenario.ts'
import { domainName } from '../world/customer.ts'
import type { MakeInvariant } from './invariant.ts'

/**
 * Every protection is served, waiting or refused, and the operator can see which: the client lists it with exactly the
 * servers that are entitled to it, and says of each where it stands.
 */
export const protectionAccounted: MakeInvariant = ({ customers }) => ({
  name: 'protection-accounted',
  sample(report) {
    for (const customer of customers) {
      const status = customer.status()
      if (status === undefined) continue
      for (const [name, request] of customer.wanted) {
        const found = status.protections.find(({ id }) => id === request.id)
        if (found === undefined) report(`site ${customer.plan.number} forgot its protection ${name}`)
        else
          for (const fault of faultsOf(found, request, customer.plan)) report(`protection ${name}: ${fault}`)
      }
    }
  }
})

interface ExpectedPlacement {
  readonly providers: readonly number[]
  readonly isForeign: boolean
}

/** A request is of one site. */
const placements = new WeakMap<ProtectionRequest, ExpectedPlacement>()

/** What servers a request is for, worked out without the code under test, and whether a part of it is nobody's. */
export function placementOf(request: ProtectionRequest, plan: SitePlan): ExpectedPlacement {
  const known = placements.get(request) ?? workedOut(request, plan)
  placements.set(request, known)
  return known
}

function workedOut({ target, allowPartial }: ProtectionRequest, plan: SitePlan): ExpectedPlacement {
  const providers = new Set<number>()
  let isForeign = false
  for (const asked of target.prefixes) {
    const isIn = (texts: readonly string[]): boolean =>
      texts.some((text) => prefixContains(prefix(text), asked))
    const found = isIn(ownPrefixes(plan.number))
      ? plan.announcedThrough
      : plan.attachments.filter((provider) => isIn(assignedPrefixes(plan.number, provider)))
    for (const provider of found) providers.add(provider)
    isForeign ||= found.length === 0
  }
  return { providers: isForeign && !allowPartial ? [] : [...providers], isForeign }
}

function faultsOf(status: ProtectionStatus, request: ProtectionRequest, plan: SitePlan): string[] {
  const { providers, isForeign } = placementOf(request, plan)
  const expected = providers.map(domainName).toSorted()
  const listed = [...new Set(status.servers.map(({ domain }) => domain))].toSorted()
  const faults: string[] = []
  if (listed.join(' ') !== expected.join(' '))
    faults.push(`is with ${listed.join(', ') || 'nobody'} instead of ${expected.join(', ') || 'nobody'}`)
  if (status.state === 'ending' || status.state === 'ended' || status.state === 'planned')
    faults.push(`is ${status.state} although it is wanted`)
  if (status.state === 'refused' && !isForeign && !status.servers.some(({ state }) => isRefused(state)))
    faults.push('is refused although no server refuses it')
  if (status.state === 'protected' && status.servers.some(({ state }) => state !== 'in-force'))
    faults.push('is protected although a server does not protect it')
  return faults
}

function isRefused(state: ProtectionStatus['servers'][number]['state']): boolean {
  return state === 'refused' || state === 'conflict'
}
