import { formatIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { AskingPolicy } from '../domain/asking-policy.ts'
import type { ServerName } from '../domain/identifier.ts'
import type { DotsServer, Site } from '../domain/site.ts'
import { pickServer, providerOf } from './alternatives.ts'
import { rankByHash } from './hash-rank.ts'
import type { ClassPlan } from './site-plan.ts'

/**
 * What is known of a server and a prefix. `passed`: it refused, or ended it by itself while the attack was on. `short`: it
 * protects it, and says that the attack exceeds what it can do. `asked`: it is asked, or protects it.
 */
export type TurnState = 'passed' | 'short' | 'asked'

/** How a client stands with its servers. */
export interface ServerStates {
  /** Whether there is a session with it. Undefined: as if there were with all. */
  readonly isAvailable?: (server: ServerName) => boolean
  /** See `pickServer`. */
  readonly chosen?: ReadonlySet<ServerName>
}

/** What decides whose turn it is. */
export interface TurnOptions extends ServerStates {
  /** Default: `all`. */
  readonly policy?: AskingPolicy
  /** Undefined, or of undefined: nothing is known. */
  readonly turnState?: (server: ServerName, prefix: IpPrefix) => TurnState | undefined
}

/** Who is asked about one prefix, of those that RFC 9284 §5.2 would have asked. */
export interface Turn {
  readonly policy: Exclude<AskingPolicy, 'all'>
  readonly servers: readonly ServerName[]
  /** Those of them for which the attack is too much. */
  readonly short: readonly ServerName[]
  /** Those that are not asked now. */
  readonly others: readonly ServerName[]
  /** Nobody is left whose turn it could be: all are asked, as if there were no policy. */
  readonly isOfAll: boolean
}

/** The servers of one domain, or of the attachments of one provider: they have their turn together. */
interface Candidate {
  readonly owner: string
  readonly servers: readonly DotsServer[]
}

/**
 * Whose turn a prefix is. Deviation: RFC 9284 §5.2 has all servers asked about a provider-independent prefix.
 *
 * | of the candidates, in the order of the prefix | is asked |
 * |---|---|
 * | one that has a session, and neither passed nor is short: who is asked already, else the first | yes |
 * | one that is short, beside the one whose turn it is | yes |
 * | none has a session without having passed or being short | all are |
 *
 * @returns undefined: all are asked, because nobody wants anything else, or because there is one candidate only.
 */
export function turnOf(
  prefix: IpPrefix,
  plan: ClassPlan,
  site: Site,
  options: TurnOptions
): Turn | undefined {
  const { policy = 'all', isAvailable = () => true, turnState = () => undefined } = options
  if (policy === 'all' || plan.class.kind !== 'pi') return undefined
  const candidates = candidatesOf(plan, site, options)
  if (candidates.length < 2) return undefined
  const ranked = policy === 'serial' ? candidates : divided(prefix, candidates)
  const able = ranked
    .filter(({ servers }) => servers.some(({ name }) => isAvailable(name)))
    .map((candidate) => {
      const states = candidate.servers.map(({ name }) => turnState(name, prefix))
      return { candidate, states }
    })
  const short = able.filter(({ states }) => states.includes('short'))
  const usable = able.filter(
    ({ states }) => !states.includes('short') && !states.every((state) => state === 'passed')
  )
  const next = usable.find(({ states }) => states.includes('asked')) ?? usable[0]
  const asked = next === undefined ? ranked : [...short, next].map(({ candidate }) => candidate)
  return {
    policy,
    servers: asked.flatMap(namesOf),
    short: next === undefined ? [] : short.flatMap(({ candidate }) => namesOf(candidate)),
    others: ranked.filter((candidate) => !asked.includes(candidate)).flatMap(namesOf),
    isOfAll: next === undefined
  }
}

/** Why a server is asked, or is not, by a policy that deviates. */
export function explainTurn(turn: Turn, { name, domain }: DotsServer): string {
  const deviation = `policy ${turn.policy}, a deviation from RFC 9284 §5.2`
  if (turn.isOfAll) return `nobody is left whose turn it could be, so every server is asked (${deviation})`
  if (turn.short.includes(name))
    return `it goes on, though the attack exceeds what it can do; another one is asked beside it (${deviation})`
  if (turn.others.includes(name)) return `it is not the turn of ${domain} (${deviation})`
  return `it is the turn of ${domain}, and not every server is asked (${deviation})`
}

/** From what it deviates, and what of. */
export function describeDeviation({ policy, others }: Turn): string {
  const names = others.join(' and ')
  const left = others.length === 0 ? 'all are asked at the moment' : `${names} would be asked, too`
  return `policy ${policy} deviates from RFC 9284 §5.2, by which every server of every domain is asked: ${left}`
}

function namesOf({ servers }: Candidate): ServerName[] {
  return servers.map(({ name }) => name)
}

function candidatesOf({ alternatives }: ClassPlan, site: Site, { chosen }: ServerStates): Candidate[] {
  const byOwner = new Map<string, DotsServer[]>()
  for (const heap of alternatives) {
    const server = pickServer(heap, chosen)
    if (server === undefined) continue
    const owner = providerOf(site, server.domain)?.name ?? server.domain
    const known = byOwner.get(owner)
    if (known === undefined) byOwner.set(owner, [server])
    else known.push(server)
  }
  return [...byOwner].map(([owner, servers]) => ({ owner, servers }))
}

/** By prefix and name alone, so that every client and every restart divides alike, and who is lost moves nobody else's. */
function divided(prefix: IpPrefix, candidates: readonly Candidate[]): Candidate[] {
  return rankByHash(formatIpPrefix(prefix), candidates, ({ owner }) => owner)
}
