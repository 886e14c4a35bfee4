import type { DomainName, ServerName } from '../domain/identifier.ts'
import type { PlacedPart } from '../multihoming/placement.ts'
import type { ServerStanding } from './protection.ts'

/** What one of several servers says that were asked for the same and do not agree. */
export interface Saying {
  readonly server: ServerName
  readonly domain: DomainName
  readonly says: string
}

/** Servers of which some protect a part and others refuse the very same: who says what. Empty: nobody contradicts another. */
export function disagreementOf(
  parts: readonly PlacedPart[],
  servers: readonly ServerStanding[]
): readonly Saying[] {
  const disagreeing = parts.flatMap((part) => {
    const own = servers.filter(({ server }) => part.servers.includes(server))
    const isDivided = own.some(protects) && own.some(refuses)
    return isDivided ? own.filter((each) => protects(each) || refuses(each)) : []
  })
  return [...new Set(disagreeing)].map(({ server, domain, text }) => ({ server, domain, says: text }))
}

function protects({ state }: ServerStanding): boolean {
  return state === 'in-force'
}

function refuses({ state }: ServerStanding): boolean {
  return state === 'refused' || state === 'conflict'
}
