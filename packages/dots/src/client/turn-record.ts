import { prefixKey, prefixesOverlap } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { MitigationStatusCode } from '@breakwater/model'
import type { ProtectionId, ServerName } from '../domain/identifier.ts'
import type { PlacedPart } from '../multihoming/placement.ts'
import type { TurnOptions, TurnState } from '../multihoming/turn.ts'
import type { Association } from './association.ts'
import type { ProtectionRequest } from './protection.ts'
import type { BookedRequest } from './requests/booked-request.ts'
import { isInForce } from './requests/request-state.ts'

/** So often a turn is passed on in one go, to servers that are known to say no: there are no more of them at any site. */
export const MOST_TURNS_AT_ONCE = 32

/** Servers by their names. */
export type Associations = ReadonlyMap<ServerName, Association>

/**
 * How servers have done that had their turn with a protection. That they are asked is read from their requests, which
 * outlive a restart; that they refused is not, for a refused request is forgotten when somebody else is asked.
 */
export class TurnRecord {
  readonly #id: ProtectionId
  readonly #done = new Map<string, Exclude<TurnState, 'asked'>>()

  constructor(id: ProtectionId) {
    this.#id = id
  }

  /** Notes what servers say of what they are asked in their turn. @returns whether that may make it another one's. */
  note(parts: readonly PlacedPart[], associations: Associations): boolean {
    let isNews = false
    for (const { turn, prefixes, servers } of parts)
      for (const server of turn === undefined ? [] : servers) {
        const requests = associations.get(server)?.standing.serving(this.#id) ?? []
        for (const prefix of prefixes) {
          const found = outcomeOf(requests.filter((request) => concerns(request, prefix)))
          isNews = this.#take(keyOf(server, prefix), found) || isNews
        }
      }
    return isNews
  }

  /** What is known of a server and a prefix. */
  state(server: ServerName, prefix: IpPrefix, associations: Associations): TurnState | undefined {
    const known = this.#done.get(keyOf(server, prefix))
    if (known !== undefined) return known
    const requests = associations.get(server)?.standing.serving(this.#id) ?? []
    return requests.some((request) => concerns(request, prefix)) ? 'asked' : undefined
  }

  #take(key: string, found: TurnState | undefined): boolean {
    const known = this.#done.get(key)
    // Once it was too much for a server, it does not change every time that the attack swells.
    if (found === undefined || found === known || (found === 'asked' && known !== 'passed')) return false
    if (found === 'asked') this.#done.delete(key)
    else this.#done.set(key, found)
    return true
  }
}

/**
 * What decides whose turn it is, where not all servers are to be asked.
 * @param record Undefined: the protection is new, or of an earlier life.
 */
export function turnOptions(
  { id, policy = 'all' }: Pick<ProtectionRequest, 'id' | 'policy'>,
  record: TurnRecord | undefined,
  associations: Associations
): TurnOptions {
  if (policy === 'all') return {}
  const turns = record ?? new TurnRecord(id)
  return { policy, turnState: (server, prefix) => turns.state(server, prefix, associations) }
}

function keyOf(server: ServerName, prefix: IpPrefix): string {
  return `${server} ${prefixKey(prefix)}`
}

function concerns({ target, replacedBy }: BookedRequest, prefix: IpPrefix): boolean {
  return replacedBy === undefined && target.prefixes.some((own) => prefixesOverlap(own, prefix))
}

/** Undefined: the server has not said anything yet. */
function outcomeOf(requests: readonly BookedRequest[]): TurnState | undefined {
  if (requests.some(({ state, report }) => state.kind === 'refused' || isEnded(state.kind, report)))
    return 'passed'
  const granted = requests.filter(({ state }) => isInForce(state))
  if (granted.length === 0) return undefined
  const isShort = granted.some(
    ({ report }) => report?.status === MitigationStatusCode.attackExceededCapability
  )
  return isShort ? 'short' : 'asked'
}

/** The server ended it by itself (RFC 9132 §4.4.2, Table 3), and it is being asked for anew. */
function isEnded(state: BookedRequest['state']['kind'], report: BookedRequest['report']): boolean {
  const isOver = report?.status === MitigationStatusCode.attackMitigationTerminated
  return isOver && (state === 'asking' || state === 'waiting')
}
