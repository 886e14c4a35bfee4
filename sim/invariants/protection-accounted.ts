import type { ProtectionRequest, ProtectionStatus } from '@breakwater/dots'
import type { Customer } from '../world/customer.ts'
import type { MakeInvariant, WorldView } from './invariant.ts'

/**
 * Every protection is served, waiting or refused, and the operator can see which: the client lists it with exactly the
 * servers that are entitled to it, and says of each where it stands.
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
  const listed = new Set(status.servers.map(({ server }) => server as string))
  const calls = (servers: readonly number[]): Set<string> =>
    new Set(servers.map((each) => layout.servers[each]?.called ?? ''))
  const mayBe = new Set(expectation.asked.flatMap(({ servers }) => [...calls(servers)]))
  const faults: string[] = []
  for (const server of listed) if (!mayBe.has(server)) faults.push(`is with ${server}, which is not asked`)
  for (const { servers } of expectation.asked) {
    const there = [...calls(servers)].filter((each) => listed.has(each))
    if (there.length === 0) faults.push(`is with none of ${[...calls(servers)].join(', ')}`)
  }
  if (status.state === 'ending' || status.state === 'ended' || status.state === 'planned')
    faults.push(`is ${status.state} although it is wanted`)
  const mayBeRefused = expectation.isRefused || expectation.asked.length === 0
  if (status.state === 'refused' && !mayBeRefused && !status.servers.some(({ state }) => isRefused(state)))
    faults.push('is refused although no server refuses it')
  if (status.state === 'protected' && status.servers.some(({ state }) => state !== 'in-force'))
    faults.push('is protected although a server does not protect it')
  return faults
}

function isRefused(state: ProtectionStatus['servers'][number]['state']): boolean {
  return state === 'refused' || state === 'conflict'
}
