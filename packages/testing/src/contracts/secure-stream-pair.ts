import { encodeUtf8, Seconds } from '@breakwater/core'
import type { Duration, PeerId, SecureStreamEndpoint } from '@breakwater/core'
import { RecordingHandlers } from './recording-handlers.ts'
import type {
  SecureStreamWorld,
  StreamClientOverrides,
  StreamServerOverrides
} from './secure-stream-world.ts'

/** One open endpoint and what it reported. */
export interface AttendedStream {
  readonly endpoint: SecureStreamEndpoint
  readonly log: RecordingHandlers
}

/** A client with a session to a server. */
export interface StreamPair {
  readonly server: AttendedStream
  readonly client: AttendedStream
  /** The server, as the client names it. */
  readonly toServer: PeerId
  /** The client, as the server names it. */
  readonly toClient: PeerId
}

export async function attendServer(
  world: SecureStreamWorld,
  overrides?: StreamServerOverrides
): Promise<AttendedStream> {
  const log = new RecordingHandlers()
  return { endpoint: await world.openServer(log, overrides), log }
}

export async function attendClient(
  world: SecureStreamWorld,
  overrides?: StreamClientOverrides
): Promise<AttendedStream> {
  const log = new RecordingHandlers()
  return { endpoint: await world.openClient(log, overrides), log }
}

/** Starts a handshake by the server's own name and bound address. */
export function connect(world: SecureStreamWorld, client: AttendedStream, server: AttendedStream): PeerId {
  return client.endpoint.connect({ remote: server.endpoint.local, serverName: world.serverName })
}

/** Connects and waits until both sides have the session. */
export async function establish(
  world: SecureStreamWorld,
  server: AttendedStream,
  client: AttendedStream,
  limit: Duration = Seconds(5)
): Promise<StreamPair> {
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
export async function streamPairOf(
  world: SecureStreamWorld,
  overrides: { readonly server?: StreamServerOverrides; readonly client?: StreamClientOverrides } = {}
): Promise<StreamPair> {
  const server = await attendServer(world, overrides.server)
  const client = await attendClient(world, overrides.client)
  return establish(world, server, client)
}

/** Sends texts one after the other; false as soon as one is not taken. */
export function sendTexts(endpoint: SecureStreamEndpoint, peer: PeerId, texts: readonly string[]): boolean {
  return texts.every((text) => endpoint.send(peer, encodeUtf8(text)))
}

/** All that `peer` sent, as one text: the borders of a stream mean nothing. */
export function textFrom({ log }: AttendedStream, peer: PeerId): string {
  return log.textsFrom(peer).join('')
}

/** How many bytes `peer` sent. */
export function bytesFrom({ log }: AttendedStream, peer: PeerId): number {
  return log.received.reduce((sum, one) => sum + (one.peer === peer ? one.bytes.length : 0), 0)
}
