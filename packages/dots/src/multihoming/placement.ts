import {
  BROADCAST_PREFIXES,
  LOOPBACK_PREFIXES,
  MULTICAST_PREFIXES,
  UNSPECIFIED_PREFIXES,
  formatIpPrefix,
  mergePrefixes,
  overlapsAny
} from '@breakwater/core'
import type { IpPrefix, WallTime } from '@breakwater/core'
import { calendarDate } from '../domain/calendar-date.ts'
import { holds } from '../domain/consent.ts'
import type { Consent } from '../domain/consent.ts'
import type { DomainName, ServerName } from '../domain/identifier.ts'
import type { DotsServer, Site } from '../domain/site.ts'
import type { Target } from '../domain/target.ts'
import { describeClass, ownersOf } from './address-class.ts'
import type { AddressClass } from './address-class.ts'
import { pickServer, providerOf } from './alternatives.ts'
import { splitAtClassBorders } from './class-border.ts'
import { translate } from './translation.ts'
import type { TranslatedPrefix } from './translation.ts'
import type { ClassPlan, PlacementReason, SitePlan } from './site-plan.ts'
import { explainTurn, turnOf } from './turn.ts'
import type { Turn, TurnOptions } from './turn.ts'

/**
 * Placement: which server is asked about which part of a target, and which part is asked of nobody. A pure function of
 * the target, the site, the calendar, who is chosen of servers that stand in for one another, and, where a policy wants turns,
 * the states of sessions: a target whose servers are out of reach waits for them and is never sent elsewhere (RFC 9284 §5.1).
 */
export interface Placement {
  /** The target by class; every part is protected when its servers have accepted it. Empty when refused. */
  readonly parts: readonly PlacedPart[]
  /** One per server and part; all are sent at the same time. */
  readonly assignments: readonly Assignment[]
  /** Why prefixes are asked of nobody. Unless `allowPartial`, one refusal refuses all, but for what a filter leaves to others. */
  readonly refusals: readonly Refusal[]
  /** Domains that ought to be asked but have no DOTS server. */
  readonly uncovered: readonly UncoveredDomain[]
  /** Internal prefixes that nothing translates, and names that nobody resolved yet: asked of nobody until that is done. */
  readonly waiting: readonly WaitingPrefixes[]
  /** In place of what was asked. */
  readonly translated: readonly TranslatedPrefix[]
}

/** What of a target nobody can be asked for yet. */
export interface WaitingPrefixes {
  /** Empty where a name waits for its addresses. */
  readonly prefixes: readonly IpPrefix[]
  /** Somebody is being asked, and will say soon: no reason for an alarm yet. */
  readonly isUnderWay?: true
  readonly text: string
}

/** What of a target is in one class, and who is asked for it. */
export interface PlacedPart {
  readonly prefixes: readonly IpPrefix[]
  readonly class: AddressClass
  readonly servers: readonly ServerName[]
  readonly uncovered: readonly DomainName[]
  /** Servers that are asked only because of these consents (RFC 9284 §6). */
  readonly consents: readonly UsedConsent[]
  readonly because: PlacementReason
  /** By whose turn it is decided who is asked. Undefined: all are, as RFC 9284 §5.2 wants it. */
  readonly turn: Turn | undefined
}

/** A server hears of another domain's prefixes. */
export interface UsedConsent {
  readonly server: ServerName
  readonly domain: DomainName
  readonly consents: readonly Consent[]
}

/** What one server is asked for. */
export interface Assignment {
  readonly server: ServerName
  readonly domain: DomainName
  /** The part of the asked target that this server may hear of. */
  readonly target: Target
  readonly because: PlacementReason
  /** All servers of the part are asked for the same. */
  readonly part: PlacedPart
  /** For the operator, with the section of the RFC. */
  readonly text: string
}

/**
 * `foreign`: nobody's of this site. `part-foreign`: that is true of a piece of a prefix that crosses a border. `filtered`: it
 * is the site's, and others ask for it. `unknown-alias`, `too-many-names`: what was named stands for no addresses here.
 */
export type RefusalReason =
  | 'foreign'
  | 'part-foreign'
  | 'filtered'
  | 'not-unicast'
  | 'too-many-borders'
  | 'no-prefix'
  | 'unknown-alias'
  | 'too-many-names'

/** What of a target nobody is asked for. */
export interface Refusal {
  /** Prefixes that nobody is asked about; a border-crossing prefix shows only its refused pieces here. */
  readonly prefixes: readonly IpPrefix[]
  readonly because: RefusalReason
  readonly text: string
}

/** A domain that the target comes through, and that nobody can be asked of. */
export interface UncoveredDomain {
  readonly domain: DomainName
  readonly prefixes: readonly IpPrefix[]
  readonly text: string
}

/** How strict a placement is, and what it depends on besides the site. */
export interface PlacementOptions extends TurnOptions {
  /** Ask for what is ours of a target of which a part is refused. Default false: then nothing leaves the host. */
  readonly allowPartial?: boolean
  /** What the calendar says. Undefined: nobody knows, and no consent holds. */
  readonly at?: WallTime
}

/** What one prefix comes to: in one class, foreign, no address of a host, or across classes (ask `place`). */
export type OnePlacement =
  | { readonly kind: 'one'; readonly value: ClassPlan }
  | { readonly kind: 'none' | 'not-unicast' | 'several' }

const NOBODY: readonly UsedConsent[] = []

const NOT_UNICAST: OnePlacement = { kind: 'not-unicast' }

/** RFC 9132 §4.4.1.1: broadcast, loopback and multicast addresses are no targets; nor is "none". */
const NOT_TARGETS: readonly IpPrefix[] = [
  ...BROADCAST_PREFIXES,
  ...LOOPBACK_PREFIXES,
  ...MULTICAST_PREFIXES,
  ...UNSPECIFIED_PREFIXES
]

/** Places one prefix: the hot path, without an object made. */
export function placeOne(plan: SitePlan, prefix: IpPrefix): OnePlacement {
  return overlapsAny(prefix, NOT_TARGETS) ? NOT_UNICAST : plan.table.matches(prefix)
}

/** Places a target: every prefix by its own class, split where classes change inside it. */
export function place(target: Target, plan: SitePlan, options: PlacementOptions = {}): Placement {
  const placed = new Map<ClassPlan, IpPrefix[]>()
  const refusals: Refusal[] = []
  if (target.prefixes.length === 0) refusals.push(refuse('no-prefix', [], plan.site))
  const { outside, waiting, translated } = goOutside(target.prefixes, plan)
  for (const prefix of outside) sort(plan, prefix, placed, refusals)
  const isWhole = refusals.every(({ because }) => because === 'filtered')
  const kept = isWhole || options.allowPartial === true ? [...placed] : []
  const parts = kept.flatMap(([classPlan, prefixes]) =>
    partsOf(classPlan, mergePrefixes(prefixes), plan.site, options)
  )
  return {
    parts,
    assignments: parts.flatMap((part) => assignmentsOf(part, target, plan)),
    refusals,
    uncovered: parts.flatMap((part) => uncoveredOf(part)),
    waiting,
    translated
  }
}

interface Outside {
  /** As the world sees them. */
  readonly outside: readonly IpPrefix[]
  readonly waiting: readonly WaitingPrefixes[]
  readonly translated: readonly TranslatedPrefix[]
}

/** RFC 9132 §3: what is internal is translated by each domain before anybody hears of it. */
function goOutside(prefixes: readonly IpPrefix[], { internal }: SitePlan): Outside {
  if (internal === undefined) return { outside: prefixes, waiting: [], translated: [] }
  const outside: IpPrefix[] = []
  const waiting: WaitingPrefixes[] = []
  const translated: TranslatedPrefix[] = []
  for (const prefix of prefixes) {
    // Too many borders are too many for the classes of the site, too.
    const pieces = splitAtClassBorders(internal, prefix) ?? [{ value: undefined, prefixes: [prefix] }]
    for (const { value, prefixes: own } of pieces)
      if (value === undefined) outside.push(...own)
      else if (value.length === 0) waiting.push(waitFor(own))
      else
        for (const { domain, ...translation } of value)
          for (const each of own)
            translated.push({ domain, internal: each, external: translate(translation, each) })
  }
  return { outside: [...outside, ...translated.map(({ external }) => external)], waiting, translated }
}

function waitFor(prefixes: readonly IpPrefix[]): WaitingPrefixes {
  const list = prefixes.map((prefix) => formatIpPrefix(prefix)).join(', ')
  return {
    prefixes,
    text: `${list} is internal, and no provider translates it: nobody is asked (RFC 9132 §3)`
  }
}

/** Puts one prefix, or the pieces of it, where it belongs. */
function sort(
  plan: SitePlan,
  prefix: IpPrefix,
  placed: Map<ClassPlan, IpPrefix[]>,
  refusals: Refusal[]
): void {
  const one = placeOne(plan, prefix)
  switch (one.kind) {
    case 'one':
      if (one.value.isFiltered) refusals.push(refuse('filtered', [prefix], plan.site))
      else add(placed, one.value, prefix)
      return
    case 'none':
      refusals.push(refuse('foreign', [prefix], plan.site))
      return
    case 'not-unicast':
      refusals.push(refuse('not-unicast', [prefix], plan.site))
      return
    case 'several':
      sortPieces(plan, prefix, placed, refusals)
  }
}

function sortPieces(
  plan: SitePlan,
  prefix: IpPrefix,
  placed: Map<ClassPlan, IpPrefix[]>,
  refusals: Refusal[]
): void {
  const pieces = splitAtClassBorders(plan.table, prefix)
  if (pieces === undefined) {
    refusals.push(refuse('too-many-borders', [prefix], plan.site))
    return
  }
  for (const piece of pieces)
    if (piece.value === undefined) refusals.push(refuse('part-foreign', piece.prefixes, plan.site, prefix))
    else if (piece.value.isFiltered) refusals.push(refuse('filtered', piece.prefixes, plan.site))
    else add(placed, piece.value, ...piece.prefixes)
}

function add(placed: Map<ClassPlan, IpPrefix[]>, plan: ClassPlan, ...prefixes: IpPrefix[]): void {
  const list = placed.get(plan)
  if (list === undefined) placed.set(plan, [...prefixes])
  else list.push(...prefixes)
}

/** One part, or one for each turn where not all are asked at the same time. */
function partsOf(
  plan: ClassPlan,
  prefixes: readonly IpPrefix[],
  site: Site,
  options: PlacementOptions
): PlacedPart[] {
  const { policy = 'all' } = options
  if (policy === 'all') return [partOf(plan, prefixes, undefined, options)]
  const turns = new Map<string, { readonly turn: Turn | undefined; readonly prefixes: IpPrefix[] }>()
  for (const prefix of prefixes) {
    const turn = turnOf(prefix, plan, site, options)
    const key = turn === undefined ? '' : `${turn.servers.join(' ')} ${turn.isOfAll}`
    const known = turns.get(key)
    if (known === undefined) turns.set(key, { turn, prefixes: [prefix] })
    else known.prefixes.push(prefix)
  }
  return [...turns.values()].map((each) => partOf(plan, each.prefixes, each.turn, options))
}

function partOf(
  plan: ClassPlan,
  prefixes: readonly IpPrefix[],
  turn: Turn | undefined,
  options: PlacementOptions
): PlacedPart {
  const asked = askedOf(plan, options)
  return {
    prefixes,
    class: plan.class,
    servers: turn?.servers ?? asked.servers,
    uncovered: plan.uncovered,
    consents: asked.consents,
    because: plan.because,
    turn
  }
}

function askedOf(plan: ClassPlan, options: PlacementOptions): Pick<PlacedPart, 'servers' | 'consents'> {
  if (plan.fixed !== undefined) return { servers: plan.fixed, consents: NOBODY }
  const consents = consentsOf(plan, options)
  const asked = plan.alternatives.flatMap((servers) => pickServer(servers, options.chosen) ?? [])
  return { servers: [...asked.map(({ name }) => name), ...consents.map(({ server }) => server)], consents }
}

/** The servers that may hear of it now because every owner's consent holds. */
function consentsOf(plan: ClassPlan, options: PlacementOptions): UsedConsent[] {
  return plan.consented.flatMap(({ domain, alternatives, consents }) => {
    const valid = consents.filter((consent) => holds(consent, options.at))
    if (!ownersOf(plan.class).every((owner) => valid.some(({ of }) => of === owner))) return []
    return alternatives
      .flatMap((servers) => pickServer(servers, options.chosen) ?? [])
      .map(({ name }) => ({ server: name, domain, consents: valid }))
  })
}

function assignmentsOf(part: PlacedPart, target: Target, plan: SitePlan): Assignment[] {
  return part.servers.flatMap((name) => {
    const server = plan.servers.get(name)
    if (server === undefined) return []
    const text = explainAssignment(part, server, plan.site)
    const own: Target = { prefixes: part.prefixes, ports: target.ports, protocols: target.protocols }
    return [{ server: name, domain: server.domain, target: own, because: part.because, part, text }]
  })
}

function uncoveredOf(part: PlacedPart): UncoveredDomain[] {
  return part.uncovered.map((domain) => {
    const text = `${domain} has no DOTS server: what comes in through it is not mitigated (RFC 9284 §4)`
    return { domain, prefixes: part.prefixes, text }
  })
}

/** Why this server is asked, in words. */
export function explainAssignment(part: PlacedPart, server: DotsServer, site: Site): string {
  const { name, domain } = server
  const consented =
    part.consents.length === 0 ? undefined : part.consents.find((used) => used.server === name)
  if (consented !== undefined) return explainConsents(consented)
  if (part.turn !== undefined) return explainTurn(part.turn, server)
  switch (part.because) {
    case 'pa-own-domain':
      if (part.class.kind === 'pa' && part.class.domain !== domain) return explainAttachment(domain, site)
      return `${domain} assigned it: only its own servers are asked (RFC 9284 §5.1)`
    case 'group-domains':
      return `it is ${describeClass(part.class)}: every server of these is asked (RFC 9284 §5.1)`
    case 'pi-every-domain':
      if (part.class.kind !== 'pa' && !part.class.domains.includes(domain)) return explainService(domain)
      return 'it is provider-independent: every server of every domain is asked (RFC 9284 §5.2)'
    case 'pi-named-domains':
      if (part.class.kind !== 'pa' && !part.class.domains.includes(domain)) return explainService(domain)
      return `it is ${describeClass(part.class)}: every server of these is asked (RFC 9284 §5.2)`
  }
}

function explainConsents({ consents }: UsedConsent): string {
  return consents.map(describeConsent).join('; ')
}

/** `consent scrub-a of isp-a to scrubber, given by A. Admin on 2026-11-01, until 2027-11-01 (RFC 9284 §6)` */
export function describeConsent({ name, of, to, givenBy, from, until }: Consent): string {
  const [start, end] = [calendarDate(from), calendarDate(until)]
  return `consent ${name} of ${of} to ${to}, given by ${givenBy}, holds from ${start} until ${end} (RFC 9284 §6)`
}

function explainAttachment(domain: DomainName, site: Site): string {
  const provider = providerOf(site, domain)?.name ?? ''
  return `${domain} is an attachment of the provider that assigned it, ${provider} (RFC 9284 §5.4)`
}

function explainService(domain: DomainName): string {
  return `it is provider-independent, and ${domain} is a service on whose list it stands (RFC 9284 §4)`
}

/** Why a prefix is asked of nobody. */
type PrefixRefusal = Exclude<RefusalReason, 'unknown-alias' | 'too-many-names'>

function refuse(
  because: PrefixRefusal,
  prefixes: readonly IpPrefix[],
  site: Site,
  asked?: IpPrefix
): Refusal {
  const list = prefixes
    .slice(0, 8)
    .map((prefix) => formatIpPrefix(prefix))
    .join(', ')
  const text = prefixes.length > 8 ? `${list} and ${prefixes.length - 8} more` : list
  return { prefixes, because, text: explainRefusal(because, text, site, asked) }
}

function explainRefusal(
  because: PrefixRefusal,
  prefixes: string,
  { filters = [] }: Site,
  asked: IpPrefix | undefined
): string {
  switch (because) {
    case 'no-prefix':
      return 'the target names no prefix'
    case 'foreign':
      return `${prefixes} belongs to no domain of the site, so no server may be asked (RFC 9284 §5.1)`
    case 'part-foreign': {
      const whole = asked === undefined ? 'the target' : formatIpPrefix(asked)
      return `of ${whole}, ${prefixes} belongs to no domain of the site (RFC 9284 §5.1)`
    }
    case 'filtered': {
      const names = filters.map(({ name }) => name).join(', ')
      return `${prefixes} is inside none of the filters of this client (${names}): it leaves that to others (RFC 9284 §5.2)`
    }
    case 'not-unicast':
      return `${prefixes} holds addresses that cannot be targets (RFC 9132 §4.4.1.1)`
    case 'too-many-borders':
      return `${prefixes} crosses too many of the site's prefixes: name smaller ones`
  }
}
