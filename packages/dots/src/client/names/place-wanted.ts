import { distinctPrefixes, formatIpPrefix, hostPrefix } from '@breakwater/core'
import type { Alias } from '../../domain/alias.ts'
import type { Target } from '../../domain/target.ts'
import { place } from '../../multihoming/placement.ts'
import type { Placement, PlacementOptions, Refusal, WaitingPrefixes } from '../../multihoming/placement.ts'
import type { SitePlan } from '../../multihoming/site-plan.ts'
import type { ProtectionRequest } from '../protection.ts'
import { namesOf, scopesOf } from './named-scope.ts'
import type { NamedScope } from './named-scope.ts'
import type { NameStanding } from './name-standing.ts'

/** What of a protection decides where it is placed. */
export type Wanted = Pick<ProtectionRequest, 'target' | 'named'>

/** What is known of a name. */
export type StandingOf = (name: string) => NameStanding

/** The names that a protection stands or falls with. */
export function namesWanted({ target, named }: Wanted, aliases: readonly Alias[] = []): string[] {
  return named === undefined ? [] : namesOf(scopesOf(target, named, aliases))
}

/**
 * Places what a protection is for: its addresses, and those that its names have now. A name that is not known yet waits;
 * the rest is asked for meanwhile.
 */
export function placeWanted(
  { target, named }: Wanted,
  standingOf: StandingOf,
  plan: SitePlan,
  options: PlacementOptions = {}
): Placement {
  if (named === undefined) return place(target, plan, options)
  const { scopes, unknownAliases } = scopesOf(target, named, plan.site.aliases ?? [])
  const known = new Map(namesOf({ scopes, unknownAliases }).map((name) => [name, standingOf(name)]))
  const turnedAway: Refusal[] = [
    ...unknownAliases.map(unknownAlias),
    ...[...known.values()].filter(({ state }) => state === 'no-room').map(noRoom)
  ]
  const waiting = [...known.values()].filter(isAwaited).map(waitForName)
  const placements = scopes.flatMap((scope) => {
    const addressed = addressesOf(scope, known)
    if (addressed.prefixes.length === 0) return []
    const placement = place(addressed, plan, { ...options, allowPartial: true })
    return [{ ...placement, refusals: placement.refusals.map((each) => withNames(each, scope, known)) }]
  })
  if (scopes.length === 0 && turnedAway.length === 0) return place(target, plan, options)
  return together(placements, turnedAway, waiting, options)
}

function addressesOf(scope: NamedScope, known: ReadonlyMap<string, NameStanding>): Target {
  const { prefixes, names, ports, protocols } = scope
  const named = names.flatMap((name) => (known.get(name)?.addresses ?? []).map((each) => hostPrefix(each)))
  return { prefixes: distinctPrefixes([...prefixes, ...named]), ports, protocols }
}

function isAwaited({ state, addresses }: NameStanding): boolean {
  return state !== 'no-room' && addresses.length === 0
}

function waitForName({ name, state, text }: NameStanding): WaitingPrefixes {
  const isUnderWay = state === 'resolving'
  const why = isUnderWay ? 'it is being resolved' : text
  const waiting = { prefixes: [], text: `nobody is asked for ${name} yet: ${why} (RFC 9132 §4.4.1.1)` }
  return isUnderWay ? { ...waiting, isUnderWay } : waiting
}

function noRoom({ name, text }: NameStanding): Refusal {
  return { prefixes: [], because: 'too-many-names', text: `${name} cannot be watched: ${text}` }
}

function unknownAlias(name: string): Refusal {
  return { prefixes: [], because: 'unknown-alias', text: `the site has no alias ${JSON.stringify(name)}` }
}

/** Whose addresses it is that are refused. */
function withNames(
  refusal: Refusal,
  { names }: NamedScope,
  known: ReadonlyMap<string, NameStanding>
): Refusal {
  const refused = new Set(refusal.prefixes.map(formatIpPrefix))
  const concerned = names.filter((name) =>
    known.get(name)?.addresses.some((address) => refused.has(formatIpPrefix(hostPrefix(address))))
  )
  return concerned.length === 0 ? refusal : { ...refusal, text: `${concerned.join(', ')}: ${refusal.text}` }
}

/** As one placement: unless `allowPartial`, one refusal refuses all of it. */
function together(
  placements: readonly Placement[],
  turnedAway: readonly Refusal[],
  waiting: readonly WaitingPrefixes[],
  { allowPartial = false }: PlacementOptions
): Placement {
  const refusals = [...turnedAway, ...placements.flatMap((each) => each.refusals)]
  const isKept = allowPartial || refusals.every(({ because }) => because === 'filtered')
  const kept = isKept ? placements : []
  return {
    parts: kept.flatMap(({ parts }) => parts),
    assignments: kept.flatMap(({ assignments }) => assignments),
    refusals,
    uncovered: kept.flatMap(({ uncovered }) => uncovered),
    waiting: [...waiting, ...placements.flatMap((each) => each.waiting)],
    translated: placements.flatMap(({ translated }) => translated)
  }
}
