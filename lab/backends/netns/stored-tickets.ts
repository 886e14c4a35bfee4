import type { CertificateCredentials, ResumableSession, SecureEndpoint, SessionEvent } from '@breakwater/core'
import { openDtlsEndpoint } from '@breakwater/dtls'

import { addressOf, serverPort } from '../../agents/flooded-link-agents.ts'

export interface TicketPlace {
  readonly sources: readonly string[]
  readonly servers: readonly string[]
  readonly serverName: string
  readonly credentials: CertificateCredentials
}

/**
 * What a client has stored of its session before the flood: a ticket of one address of the server, the most preferred one. It
 * is good at the others.
 */
export function storedTickets(place: TicketPlace): Promise<readonly ResumableSession[]> {
  const [server] = place.servers
  return server === undefined ? Promise.resolve([]) : ticketOf(server, place)
}

async function ticketOf(
  server: string,
  { sources, serverName, credentials }: TicketPlace
): Promise<readonly ResumableSession[]> {
  const address = addressOf(server)
  const source = sources.map(addressOf).find(({ family }) => family === address.family)
  if (source === undefined) return []
  let settle: (event: SessionEvent) => void
  const settled = new Promise<SessionEvent>((resolve) => (settle = resolve))
  const endpoint: SecureEndpoint = await openDtlsEndpoint(
    { role: 'client', local: { address: source, port: 0 }, credentials },
    { onBatch: () => undefined, onSession: (event) => settle(event) }
  )
  endpoint.connect({ remote: { address, port: serverPort }, serverName })
  const { kind } = await settled
  const sessions = endpoint.resumableSessions?.() ?? []
  await endpoint.destroy()
  if (kind !== 'established' || sessions.length === 0) throw new Error(`no ticket of ${server}: ${kind}`)
  return sessions
}
