import { formatIpPrefix, prefixesOverlap } from '@breakwater/core'
import { coversTarget } from '@breakwater/dots'
import type { MitigationSnapshot, RequestReport, Target } from '@breakwater/dots'
import { cuidOf, domainName } from '../world/customer.ts'
import { isAboutMitigation } from '../world/ledger.ts'
import type { SeenMitigationRequest } from '../world/wire.ts'
import type { MakeInvariant } from './invariant.ts'

/**
 * No request of ours deletes a target that another live protection needs (RFC 9132 §4.4.1.3: a newer request deletes
 * older ones of the same client with common addresses). Looked at when a request arrives: what the client says is in
 * force for a live protection, and is in force, must still be so after it.
 */
export const neededTarget: MakeInvariant = ({ customers, providers }) => ({
  name: 'needed-target',
  traffic({ when, direction, site, provider, seen }, report) {
    if (when !== 'delivered' || direction !== 'to-server' || seen === undefined || provider === undefined)
      return
    if (!isAboutMitigation(seen) || seen.kind === 'get') return
    const customer = customers[site]
    const own = cuidOf(site, provider)
    const before = (providers[provider]?.mitigations() ?? []).filter(({ cuid, state }) => {
      return cuid === own && state !== 'terminating'
    })
    const after = effectOf(seen, before)
    if (after.length === before.length && before.every((each) => after.includes(each.target))) return
    const requests = (customer?.status()?.requests ?? []).filter(
      ({ domain }) => domain === domainName(provider)
    )
    for (const request of requests.filter(isClaimed)) {
      if (!request.protections.some((id) => customer?.wanted.has(id))) continue
      if (
        !coversTarget(
          before.map(({ target }) => target),
          request.target
        )
      )
        continue
      if (coversTarget(after, request.target)) continue
      report(`${describe(seen)} of site ${site} at provider ${provider} takes away ${textOf(request.target)}`)
    }
  }
})

/** The client says that this is in force, and goes on wanting it. */
function isClaimed({ state, isBeingReplaced }: RequestReport): boolean {
  return (state === 'in-force' || state === 'refreshing') && !isBeingReplaced
}

/** What would stand after the request, going by RFC 9132 §4.4.1.3 and §4.4.4. */
function effectOf(seen: SeenMitigationRequest, standing: readonly MitigationSnapshot[]): Target[] {
  const others = standing.filter(({ mitigationId }) => mitigationId !== seen.mitigationId)
  if (seen.kind === 'delete') return others.map(({ target }) => target)
  const { target, mitigationId } = seen
  if (target === undefined || mitigationId === undefined) return standing.map((each) => each.target)
  const overlapping = others.filter((each) => overlap(each.target, target))
  // It gets a 4.09 and changes nothing.
  if (overlapping.some((each) => each.mitigationId > mitigationId)) return standing.map((each) => each.target)
  return [...others.filter((each) => !overlapping.includes(each)).map((each) => each.target), target]
}

function overlap(one: Target, other: Target): boolean {
  return one.prefixes.some((own) => other.prefixes.some((each) => prefixesOverlap(own, each)))
}

function describe({ kind, mitigationId }: SeenMitigationRequest): string {
  return `${kind.toUpperCase()} mid=${mitigationId}`
}

function textOf({ prefixes }: Target): string {
  return prefixes.map((each) => formatIpPrefix(each)).join(' ')
}
