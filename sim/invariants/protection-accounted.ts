import type { IpPrefix } from '@breakwater/core'
import type { ProtectionRequest, ProtectionStatus } from '@breakwater/dots'
import type { Layout } from '../layout.ts'
import type { Expectation } from '../oracle/facts.ts'
import type { Customer } from '../world/customer.ts'
import { WHOLE, isCovered } from './coverage.ts'
import type { MakeInvariant, WorldView } from './invariant.ts'

/**
 * Every protection is served, waiting or refused, and the operator can see which: the client lists it with exactly the
 * servers that are entitled to it and with what is theirs, and says of each where it stands.
 */
export const protectionAccounted: MakeInvariant = (view) => ({
  name: 'protection-accounted',
  sample(report) {
    for (const customer of view.customers) {
      const status = customer.status()
      if (status === undefined) continue
      for (const [name, request] of customer.wishes.wanted) {
        const found = status.protections.find(({ id }) => id === request.id)
        if (found === undefined) report(`site ${customer.plan.number} forgot its protection ${name}`)
        else
          for (const fault of faultsOf(found, request, view, customer)) report(`protection ${name}: ${fault}`)
      }
    }
  }
})

function faultsOf(
  status: ProtectionStatus,
  request: ProtectionRequest,
  { layout, clock }: WorldView,
  customer: Customer
): string[] {
  const expectation = customer.wishes.expect(request, clock.now())
  const faults = expectation === undefined ? [] : placementFaults(status, expectation, layout)
  if (status.state === 'ending' || status.state === 'ended' || status.state === 'planned')
    faults.push(`is ${status.state} although it is wanted`)
  if (status.state === 'protected' && status.servers.some(({ state }) => state !== 'in-force'))
    faults.push('is protected although a server does not protect it')
  return faults
}

/** Exactly the servers that are entitled to it, with exactly what is theirs. */
function placementFaults(
  { state, servers }: ProtectionStatus,
  { asked, isRefused }: Expectation,
  layout: Layout
): string[] {
  const faults: string[] = []
  const heaps = asked.map(({ servers: heap, prefixes }) => ({
    names: heap.map((each) => layout.servers[each]?.called ?? ''),
    prefixes
  }))
  for (const { server, prefixes } of servers) {
    const own = heaps.filter(({ names }) => names.includes(server))
    if (own.length === 0) faults.push(`is with ${server}, which is not asked`)
    else if (!areCovered(prefixes, own)) faults.push(`asks ${server} for more than it is for`)
  }
  for (const { names, prefixes } of heaps) {
    const own = servers.filter(({ server }) => names.includes(server))
    if (own.length === 0) faults.push(`is with none of ${names.join(', ')}`)
    else if (!areCovered(prefixes, own)) faults.push(`asks ${names.join(' or ')} for less than it is for`)
  }
  const mayBeRefused = isRefused || asked.length === 0
  if (state === 'refused' && !mayBeRefused && !servers.some((each) => isRefusal(each.state)))
    faults.push('is refused although no server refuses it')
  return faults
}

function areCovered(
  prefixes: readonly IpPrefix[],
  by: readonly { readonly prefixes: readonly IpPrefix[] }[]
): boolean {
  const wide = by.map((each) => ({ ...WHOLE, prefixes: each.prefixes }))
  return prefixes.every((prefix) => isCovered(prefix, WHOLE, wide))
}

function isRefusal(state: ProtectionStatus['servers'][number]['state']): boolean {
  return state === 'refused' || state === 'conflict'
}
