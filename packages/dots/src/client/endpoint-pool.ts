import { InternalError, formatIpAddress } from '@breakwater/core'
import type {
  ClientCredentials,
  Duration,
  OpenSecureEndpoint,
  OpenSecureStream,
  PathHint,
  PeerId,
  PlaintextBatch,
  SecureEndpoint,
  SessionEvent
} from '@breakwater/core'
import type { DomainName } from '../domain/identifier.ts'
import type { LegalPath } from '../multihoming/legal-path.ts'
import type { ConnectionId } from './connection/session-state.ts'
import type { ClientInput } from './client-io.ts'
import { hintEvidence } from './paths/path-hint.ts'

export type { ClientCredentials }

/** An endpoint and who is reached by it. */
interface PooledEndpoint {
  readonly opening: Promise<SecureEndpoint>
  /** What the connections of this endpoint lead to. */
  readonly remotes: Set<string>
  /** The site has changed since it was used last: it goes with its last connection, for its source may be nobody's. */
  isOld: boolean
}

/** How endpoints are opened. */
export interface EndpointOpeners {
  /** For paths over UDP. */
  readonly open: OpenSecureEndpoint
  /** For paths over TCP. */
  readonly openStream: OpenSecureStream
  /**
   * For handshakes that begin during an attack: `ConnectRequest.handshakeRetransmission`. Deviation from RFC 6347
   * §4.2.4.1; default: none.
   */
  readonly attackHandshakeRetransmission?: Duration
}

interface Connected {
  readonly connection: ConnectionId
  readonly path: LegalPath
  readonly pooled: PooledEndpoint
  readonly endpoint: SecureEndpoint
  readonly peer: PeerId
  readonly remote: string
}

/**
 * The secure endpoints of a client: one for each domain, source address, interface and transport, bound to these and
 * holding that domain's credentials and no others (RFC 9284 §5.1). A second connection over UDP to the same server gets
 * one of its own, for DTLS has one session for each pair of addresses.
 */
export class EndpointPool {
  readonly #openers: EndpointOpeners
  #credentials: ReadonlyMap<DomainName, ClientCredentials>
  readonly #feed: (input: ClientInput) => void
  readonly #pooled = new Map<string, PooledEndpoint[]>()
  readonly #byPeer = new Map<PeerId, Connected>()
  readonly #byConnection = new Map<ConnectionId, Connected>()
  /** Waiting for their endpoint, and whether an attack is on. */
  readonly #opening = new Map<ConnectionId, boolean>()
  /** Closed before their endpoint was open. */
  readonly #givenUp = new Set<ConnectionId>()
  #isClosed = false

  constructor(
    openers: EndpointOpeners,
    credentials: ReadonlyMap<DomainName, ClientCredentials>,
    feed: (input: ClientInput) => void
  ) {
    this.#openers = openers
    this.#credentials = credentials
    this.#feed = feed
  }

  /** Starts a handshake on this path; whatever goes wrong before anything is sent is reported as a `local` failure. */
  async connect(
    connection: ConnectionId,
    path: LegalPath,
    serverName: string,
    duringAttack = false
  ): Promise<void> {
    const remote = remoteKey(path, connection)
    const pooled = this.#endpointFor(path, remote)
    this.#opening.set(connection, duringAttack)
    try {
      const endpoint = await pooled.opening
      const isHasty = this.#opening.get(connection) ?? duringAttack
      this.#opening.delete(connection)
      if (this.#isClosed) return
      if (this.#givenUp.delete(connection)) {
        pooled.remotes.delete(remote)
        this.#feed({ kind: 'session-failed', connection, reason: 'local' })
        return
      }
      const haste = this.#retransmission(isHasty)
      const peer = endpoint.connect({
        remote: path.remote,
        serverName,
        ...(haste === undefined ? {} : { handshakeRetransmission: haste })
      })
      const connected: Connected = { connection, path, pooled, endpoint, peer, remote }
      this.#byPeer.set(peer, connected)
      this.#byConnection.set(connection, connected)
    } catch {
      this.#discard(keyOf(path), pooled)
      this.#opening.delete(connection)
      this.#givenUp.delete(connection)
      this.#feed({ kind: 'session-failed', connection, reason: 'local' })
    }
  }

  /** An attack has begun or is over while this handshake is under way. */
  retime(connection: ConnectionId, duringAttack: boolean): void {
    const connected = this.#byConnection.get(connection)
    if (connected !== undefined)
      connected.endpoint.useHandshakeRetransmission?.(connected.peer, this.#retransmission(duringAttack))
    else if (this.#opening.has(connection)) this.#opening.set(connection, duringAttack)
  }

  #retransmission(duringAttack: boolean): Duration | undefined {
    return duringAttack ? this.#openers.attackHandshakeRetransmission : undefined
  }

  send(connection: ConnectionId, bytes: Uint8Array): void {
    const connected = this.#byConnection.get(connection)
    connected?.endpoint.send(connected.peer, bytes)
  }

  close(connection: ConnectionId): void {
    const connected = this.#byConnection.get(connection)
    if (connected === undefined) this.#givenUp.add(connection)
    else connected.endpoint.close(connected.peer)
  }

  /** The site has changed: endpoints that nobody uses are closed, and the others as soon as that is true of them. */
  renew(credentials: ReadonlyMap<DomainName, ClientCredentials>): void {
    this.#credentials = credentials
    for (const [key, list] of this.#pooled)
      for (const pooled of list) {
        pooled.isOld = true
        if (pooled.remotes.size === 0) this.#discard(key, pooled)
      }
  }

  async destroy(): Promise<void> {
    this.#isClosed = true
    const all = [...this.#pooled.values()].flat()
    this.#pooled.clear()
    await Promise.allSettled(all.map(async (pooled) => (await pooled.opening).destroy()))
  }

  #endpointFor(path: LegalPath, remote: string): PooledEndpoint {
    const key = keyOf(path)
    const list = this.#pooled.get(key) ?? []
    const free = list.find((pooled) => !pooled.remotes.has(remote))
    if (free !== undefined) {
      free.remotes.add(remote)
      free.isOld = false
      return free
    }
    const pooled: PooledEndpoint = { opening: this.#openFor(path), remotes: new Set([remote]), isOld: false }
    this.#pooled.set(key, [...list, pooled])
    return pooled
  }

  async #openFor(path: LegalPath): Promise<SecureEndpoint> {
    const credentials = this.#credentials.get(path.domain)
    if (credentials === undefined)
      throw new InternalError('DOTS_CLIENT_CREDENTIALS_MISSING', `no credentials for ${path.domain}`)
    const { local } = path.networkPath
    const { open, openStream } = this.#openers
    const openEndpoint = path.transport === 'udp' ? open : openStream
    return openEndpoint(
      {
        role: 'client',
        credentials,
        local,
        ...(path.interface === undefined ? {} : { interface: path.interface }),
        ...(path.mtu === undefined ? {} : { mtu: path.mtu })
      },
      {
        onBatch: (batch) => this.#received(batch),
        onSession: (event) => this.#sessionChanged(event),
        onHint: (hint) => this.#hinted(hint)
      }
    )
  }

  /** An endpoint that cannot connect (its address or interface has gone) must not be used again. */
  #discard(key: string, pooled: PooledEndpoint): void {
    const rest = (this.#pooled.get(key) ?? []).filter((each) => each !== pooled)
    if (rest.length === 0) this.#pooled.delete(key)
    else this.#pooled.set(key, rest)
    void pooled.opening.then(
      (endpoint) => endpoint.destroy(),
      () => undefined
    )
    // An endpoint says nothing of its sessions once it is destroyed.
    for (const connected of [...this.#byPeer.values()].filter((each) => each.pooled === pooled)) {
      this.#gone(connected)
      this.#feed({ kind: 'session-closed', connection: connected.connection, reason: 'local' })
    }
  }

  #received(batch: PlaintextBatch): void {
    for (let index = 0; index < batch.count; index++) {
      const connected = this.#byPeer.get(batch.peer(index))
      if (connected === undefined) continue
      // Copy: the driver may queue the input, and the endpoint reuses its buffer.
      const bytes = batch.bytes(index).slice()
      this.#feed({ kind: 'datagram', connection: connected.connection, bytes })
    }
  }

  #sessionChanged(event: SessionEvent): void {
    const connected = this.#byPeer.get(event.peer)
    if (connected === undefined) return
    const { connection } = connected
    switch (event.kind) {
      case 'established':
        this.#feed({ kind: 'session-established', connection })
        return
      case 'failed':
        this.#gone(connected)
        // It may be bound to an interface or an address that is not there any more; the next attempt binds anew.
        if (connected.pooled.remotes.size === 0) this.#discard(keyOf(connected.path), connected.pooled)
        this.#feed({ kind: 'session-failed', connection, reason: event.reason })
        return
      case 'closed':
        this.#gone(connected)
        if (connected.pooled.isOld && connected.pooled.remotes.size === 0)
          this.#discard(keyOf(connected.path), connected.pooled)
        this.#feed({ kind: 'session-closed', connection, reason: event.reason })
    }
  }

  #hinted(hint: PathHint): void {
    const connected = this.#byPeer.get(hint.peer)
    if (connected === undefined) return
    this.#feed({ kind: 'path-evidence', evidence: hintEvidence(hint, connected.path) })
  }

  #gone(connected: Connected): void {
    this.#byPeer.delete(connected.peer)
    this.#byConnection.delete(connected.connection)
    connected.pooled.remotes.delete(connected.remote)
  }
}

function keyOf(path: LegalPath): string {
  return `${path.domain} ${path.transport} ${formatIpAddress(path.source)} ${path.interface ?? ''}`
}

/** What may be in use once only: over TCP each connection has a port of its own. */
function remoteKey({ transport, remote }: LegalPath, connection: ConnectionId): string {
  const address = `${formatIpAddress(remote.address)} ${remote.port}`
  return transport === 'udp' ? address : `${address} ${connection}`
}
