import { encodeUtf8, Seconds } from '@breakwater/core'
import type { Duration, PeerId, SecureEndpoint, SecureEndpointHandlers } from '@breakwater/core'
import { RecordingHandlers } from './recording-handlers.ts'

/** What sessions need of an endpoint, whether datagrams or streams carry them. */
type Connecting = Pick<SecureEndpoint, 'local' | 'connect' | 'send'>

/** What sessions need of a world, be it one of datagrams or one of streams. */
export interface SecureWorld<Endpoint, ServerOverrides, ClientOverrides> {
  readonly serverName: string
  openServer(handlers: SecureEndpointHandlers, overrides?: ServerOverrides): Promise<Endpoint>
  openClient(handlers: SecureEndpointHandlers, overrides?: ClientOverrides): Promise<Endpoint>
  until(condition: () => boolean, limit?: Duration): Promise<void>
}

/** One open endpoint and what it reported. */
export interface Attended<Endpoint> {
  readonly endpoint: Endpoint
  readonly log: RecordingHandlers
}

/** A client with a session to a server. */
export interface Pair<Endpoint> {
  readonly server: Attended<Endpoint>
  readonly client: Attended<Endpoint>
  /** The server, as the client names it. */
  readonly toServer: PeerId
  /** The client, as the server names it. */
  readonly toClient: PeerId
}

export async function attendServer<Endpoint, Server, Client>(
  world: SecureWorld<Endpoint, Server, Client>,
  overrides?: Server,
  log: RecordingHandlers = new RecordingHandlers()
): Promise<Attended<Endpoint>> {
  return { endpoint: await world.openServer(log, overrides), log }
}

export async function attendClient<Endpoint, Server, Client>(
  world: SecureWorld<Endpoint, Server, Client>,
  overrides?: Client,
  log: RecordingHandlers = new RecordingHandlers()
): Promise<Attended<Endpoint>> {
  return { endpoint: await world.openClient(log, overrides), log }
}

/** Starts a handshake by the server's own name and bound address. */
export function connect(
  world: { readonly serverName: string },
  client: Attended<Connecting>,
  server: Attended<Connecting>
): PeerId {
  return client.endpoint.connect({ remote: server.endpoint.local, serverName: world.serverName })
}

/** Connects and waits until both sides have the session. */
export async function establish<Endpoint extends Connecting, Server, Client>(
  world: SecureWorld<Endpoint, Server, Client>,
  server: Attended<Endpoint>,
  client: Attended<Endpoint>,
  limit: Duration = Seconds(5)
): Promise<Pair<Endpoint>> {
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
export async function pairOf<Endpoint extends Connecting, Server, Client>(
  world: SecureWorld<Endpoint, Server, Client>,
  overrides: { readonly server?: Server; readonly client?: Client } = {}
): Promise<Pair<Endpoint>> {
  const server = await attendServer(world, overrides.server)
  const client = await attendClient(world, overrides.client)
  return establish(world, server, client)
}

/** Sends one text after the other, over datagrams each as one plaintext; false as soon as one is not taken. */
export function sendTexts(
  endpoint: Pick<Connecting, 'send'>,
  peer: PeerId,
  texts: readonly string[]
): boolean {
  return texts.every((text) => endpoint.send(peer, encodeUtf8(text)))
}
