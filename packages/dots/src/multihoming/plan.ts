import { formatIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { DomainName, ServerName } from '../domain/identifier.ts'
import type { DotsServer } from '../domain/site.ts'
import type { Target } from '../domain/target.ts'
import { describeClass } from './address-class.ts'
import type { AddressClass } from './address-class.ts'
import { describeIllegal } from './legal-path.ts'
import { explainAssignment, place } from './placement.ts'
import type { PlacedPart, PlacementOptions, Refusal, UncoveredDomain } from './placement.ts'
import type { SitePlan } from './site-plan.ts'

/** A placement with all its reasons, for people: what would be asked of whom, and why not of the others. */
export interface PlanExplanation {
  /** `refused`: nothing would leave the host. `partial`: something would, but not for all of the target. */
  readonly verdict: 'placed' | 'partial' | 'refused'
  readonly parts: readonly ExplainedPart[]
  readonly refusals: readonly Refusal[]
  readonly uncovered: readonly UncoveredDomain[]
}

/** A part of the target, with who is asked for it and who is not. */
export interface ExplainedPart {
  readonly prefixes: readonly IpPrefix[]
  readonly class: AddressClass
  /** The class in words. */
  readonly classText: string
  readonly asked: readonly ServerDecision[]
  readonly notAsked: readonly ServerDecision[]
}

/** Why a server is asked, or is not. */
export interface ServerDecision {
  readonly server: ServerName
  readonly domain: DomainName
  readonly text: string
}

/** Explains where a target would go. The decision itself is `place`'s: this only adds the reasons. */
export function explain(target: Target, plan: SitePlan, options: PlacementOptions = {}): PlanExplanation {
  const placement = place(target, plan, options)
  const asked = placement.parts.some((part) => part.servers.length > 0)
  const complete = placement.refusals.length === 0 && placement.uncovered.length === 0
  return {
    verdict: asked ? (complete ? 'placed' : 'partial') : 'refused',
    parts: placement.parts.map((part) => explainPart(part, plan)),
    refusals: placement.refusals,
    uncovered: placement.uncovered
  }
}

function explainPart(part: PlacedPart, plan: SitePlan): ExplainedPart {
  const servers = [...plan.servers.values()]
  const isAsked = (server: DotsServer): boolean => part.servers.includes(server.name)
  return {
    prefixes: part.prefixes,
    class: part.class,
    classText: describeClass(part.class),
    asked: servers.filter(isAsked).map((server) => decide(server, whyAsked(part, server, plan))),
    notAsked: servers
      .filter((server) => !isAsked(server))
      .map((server) => decide(server, whyNotAsked(part, server)))
  }
}

function decide(server: DotsServer, text: string): ServerDecision {
  return { server: server.name, domain: server.domain, text }
}

function whyAsked(part: PlacedPart, server: DotsServer, plan: SitePlan): string {
  const text = explainAssignment(part, server.domain)
  const found = plan.paths.get(server.name)
  if (found === undefined || found.paths.length > 0) return text
  const illegal = found.illegal.map((reason) => describeIllegal(reason)).join('; ')
  return `${text}; but no legal path leads there: ${illegal}`
}

function whyNotAsked(part: PlacedPart, server: DotsServer): string {
  const prefixes = part.prefixes.map((prefix) => formatIpPrefix(prefix)).join(', ')
  switch (part.class.kind) {
    case 'pa':
      return (
        `${server.domain} did not assign ${prefixes}: its server could not help and must not be asked ` +
        '(RFC 9284 §5.1)'
      )
    case 'pi':
      return `${prefixes} is not announced through ${server.domain}`
  }
}
