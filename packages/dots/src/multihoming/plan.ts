import { formatIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { AskingPolicy } from '../domain/asking-policy.ts'
import type { DomainName, ServerName } from '../domain/identifier.ts'
import type { DotsServer, Site } from '../domain/site.ts'
import type { Target } from '../domain/target.ts'
import { describeClass, ownersOf } from './address-class.ts'
import type { AddressClass } from './address-class.ts'
import { providerOf } from './alternatives.ts'
import { diversionHarm } from './diversion-harm.ts'
import type { PlanWarning } from './diversion-harm.ts'
import { explainNets } from './explain-nets.ts'
import type { ExplainedNet } from './explain-nets.ts'
import { describeIllegal } from './legal-path.ts'
import { explainAssignment, place } from './placement.ts'
import type {
  PlacedPart,
  Placement,
  PlacementOptions,
  Refusal,
  UncoveredDomain,
  UsedConsent
} from './placement.ts'
import type { SitePlan } from './site-plan.ts'
import { describeDeviation, explainTurn } from './turn.ts'

/** A placement with all its reasons, for people: what would be asked of whom, and why not of the others. */
export interface PlanExplanation {
  /**
   * `refused`: nothing would leave the host. `partial`: something would, but not for all of the target.
   * `waiting`: nothing would until an internal address is translated, or a name resolved.
   */
  readonly verdict: 'placed' | 'partial' | 'waiting' | 'refused'
  readonly parts: readonly ExplainedPart[]
  readonly refusals: readonly Refusal[]
  readonly uncovered: readonly UncoveredDomain[]
  readonly waiting: Placement['waiting']
  readonly translated: Placement['translated']
  /** What is asked all the same, for the operator to think about. */
  readonly warnings: readonly PlanWarning[]
  /** What is preconfigured and overlaps with the target. */
  readonly preconfigured: readonly ExplainedNet[]
}

/** A part of the target, with who is asked for it and who is not. */
export interface ExplainedPart {
  readonly prefixes: readonly IpPrefix[]
  readonly class: AddressClass
  /** The class in words. */
  readonly classText: string
  readonly asked: readonly ServerDecision[]
  readonly notAsked: readonly ServerDecision[]
  readonly consents: readonly UsedConsent[]
  /** Of a policy that decides who is asked. Undefined: all are. */
  readonly deviation: Deviation | undefined
}

/** A policy of the operator in the place of what an RFC wants. */
export interface Deviation {
  readonly policy: AskingPolicy
  readonly text: string
}

/** Why a server is asked, or is not. */
export interface ServerDecision {
  readonly server: ServerName
  readonly domain: DomainName
  readonly text: string
}

/** Explains where a target would go. The decision itself is `place`'s: this only adds the reasons. */
export function explain(target: Target, plan: SitePlan, options: PlacementOptions = {}): PlanExplanation {
  return explainPlacement(place(target, plan, options), plan, options)
}

/** Adds the reasons to a placement that `options` led to. */
export function explainPlacement(
  placement: Placement,
  plan: SitePlan,
  options: PlacementOptions = {}
): PlanExplanation {
  const asked = placement.parts.some((part) => part.servers.length > 0)
  const { refusals, uncovered, waiting, translated } = placement
  const complete = [...refusals, ...uncovered, ...waiting].length === 0
  const otherwise = waiting.length > 0 && isGoing(placement, options) ? 'waiting' : 'refused'
  return {
    verdict: asked ? (complete ? 'placed' : 'partial') : otherwise,
    parts: placement.parts.map((part) => explainPart(part, plan)),
    refusals,
    uncovered,
    waiting,
    translated,
    warnings: placement.parts.flatMap((part) => diversionHarm(part, plan)),
    preconfigured: explainNets(
      [...placement.parts, ...refusals].flatMap(({ prefixes }) => prefixes),
      plan,
      options.chosen ?? new Set()
    )
  }
}

/** Whether refusals leave anything of the target to be asked for. */
function isGoing({ refusals }: Placement, { allowPartial = false }: PlacementOptions): boolean {
  return allowPartial || refusals.every(({ because }) => because === 'filtered')
}

function explainPart(part: PlacedPart, plan: SitePlan): ExplainedPart {
  const servers = [...plan.servers.values()]
  const isAsked = (server: DotsServer): boolean => part.servers.includes(server.name)
  return {
    prefixes: part.prefixes,
    class: part.class,
    classText: describeClass(part.class),
    asked: servers.filter(isAsked).map((server) => decide(server, whyAsked(part, server, plan))),
    consents: part.consents,
    deviation: part.turn && { policy: part.turn.policy, text: describeDeviation(part.turn) },
    notAsked: servers
      .filter((server) => !isAsked(server))
      .map((server) => decide(server, whyNotAsked(part, server, plan.site)))
  }
}

function decide(server: DotsServer, text: string): ServerDecision {
  return { server: server.name, domain: server.domain, text }
}

function whyAsked(part: PlacedPart, server: DotsServer, plan: SitePlan): string {
  const text = explainAssignment(part, server, plan.site)
  const found = plan.paths.get(server.name)
  if (found === undefined || found.paths.length > 0) return text
  const illegal = found.illegal.map((reason) => describeIllegal(reason)).join('; ')
  return `${text}; but no legal path leads there: ${illegal}`
}

function whyNotAsked(part: PlacedPart, server: DotsServer, site: Site): string {
  const standIn = standInText(part, server, site)
  if (standIn !== undefined) return standIn
  const prefixes = part.prefixes.map((prefix) => formatIpPrefix(prefix)).join(', ')
  switch (part.class.kind) {
    case 'pa':
    case 'group':
      return (
        `${server.domain} did not assign ${prefixes}: its server could not help and must not be asked ` +
        `(RFC 9284 §5.1)${lackOfConsent(part, server, site)}`
      )
    case 'pi':
      if (part.turn?.others.includes(server.name) === true) return explainTurn(part.turn, server)
      if (isService(site, server)) return `${prefixes} is not on the list of what ${server.domain} protects`
      return `${prefixes} is not announced through ${server.domain}`
  }
}

/** A server that could be asked, in whose stead another is. */
function standInText(part: PlacedPart, server: DotsServer, site: Site): string | undefined {
  const provider = providerOf(site, server.domain)
  const alike = new Set([server.domain, ...(provider?.domains ?? [])])
  const asked = site.domains
    .filter(({ name }) => alike.has(name))
    .flatMap(({ servers }) => servers.filter(({ name }) => part.servers.includes(name)))
  if (asked.length === 0) return undefined
  const why =
    provider === undefined ? `pool of ${server.domain}` : `one provider, ${provider.name} (RFC 9284 §5.4)`
  return `${asked.map(({ name }) => name).join(' and ')} is asked in its stead: ${why}`
}

function isService(site: Site, server: DotsServer): boolean {
  return site.domains.some(({ name, kind }) => name === server.domain && kind === 'service')
}

/** For a domain that the operator gave consents to, why they do not help here. */
function lackOfConsent(part: PlacedPart, { domain }: DotsServer, site: Site): string {
  const owners = ownersOf(part.class)
  const given = (site.consents ?? []).filter(({ of, to }) => to === domain && owners.includes(of))
  if (given.length === 0) return ''
  const names = given.map(({ name }) => name).join(', ')
  return `; consent ${names} does not hold here: for other prefixes, not on the list of the service, not begun, or over`
}
