import { encodeUtf8, Seconds } from '@breakwater/core'
import type { Duration, PeerId, SecureEndpoint } from '@breakwater/core'
import { RecordingHandlers } from './recording-handlers.ts'
import type { ClientOverrides, SecureEndpointWorld, ServerOverrides } from './secure-endpoint-world.ts'

/** One open endpoint and what it reported. */
export interface Attended {
  readonly endpoint: SecureEndpoint
  readonly log: RecordingHandlers
}

/** A client with a session to a server. */
export interface Pair {
  readonly server: Attended
  readonly client: Attended
  /** The server, as the client names it. */
  readonly toServer: PeerId
  /** The client, as the server names it. */
  readonly toClient: PeerId
}

export async function attendServer(
  world: SecureEndpointWorld,
  overrides?: ServerOverrides,
  log: RecordingHandlers = new RecordingHandlers()
): Promise<Attended> {
  return { endpoint: await world.openServer(log, overrides), log }
}

export async function attendClient(
  world: SecureEndpointWorld,
  overrides?: ClientOverrides,
  log: RecordingHandlers = new RecordingHandlers()
): Promise<Attended> {
  return { endpoint: await world.openClient(log, overrides), log }
}

/** Starts a handshake by the server's own name and bound address. */
export function connect(world: SecureEndpointWorld, client: Attended, server: Attended): PeerId {
  return client.endpoint.connect({ remote: server.endpoint.local, serverName: world.serverName })
}

/** Connects and waits until both sides have the session. */
export async function establish(
  world: SecureEndpointWorld,
  server: Attended,
  client: Attended,
  limit: Duration = Seconds(5)
): Promise<Pair> {
  const before = server.log.established().length
  const toServer = connect(world, client, server)
  await world.until(
    () => client.log.isEstablished(toServer) && server.log.established().length > before,
    limit
  )
  const toClient = server.log.established()[before]
  if (toClient === undefined) throw new Error('the server reported no session')
  return { server, client, toServer, toClient }
}

/** A server, a client and a session between them. */
export async function pairOf(
  world: SecureEndpointWorld,
  overrides: { readonly server?: ServerOverrides; readonly client?: ClientOverrides } = {}
): Promise<Pair> {
  const server = await attendServer(world, overrides.server)
  const client = await attendClient(world, overrides.client)
  return establish(world, server, client)
}

/** Sends each text as one plaintext; false as soon as one is not taken. */
export function sendTexts(endpoint: SecureEndpoint, peer: PeerId, texts: readonly string[]): boolean {
  return texts.every((text) => endpoint.send(peer, encodeUtf8(text)))
}
