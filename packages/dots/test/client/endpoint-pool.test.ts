import { Milliseconds } from '@breakwater/core'
import type {
  ConnectRequest,
  Duration,
  PeerId,
  SecureEndpoint,
  SecureEndpointHandlers,
  SecureEndpointOptions
} from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import type { ClientInput } from '../../src/client/client-io.ts'
import { EndpointPool } from '../../src/client/endpoint-pool.ts'
import type { ConnectionId } from '../../src/client/connection/session-state.ts'
import { DomainName } from '../../src/domain/identifier.ts'
import { legalPaths } from '../../src/multihoming/legal-path.ts'
import { domain, server } from '../multihoming/sites.ts'

const east = server('isp-a', '192.0.2.1', 'isp-a/east')
const west = server('isp-a', '192.0.2.2', 'isp-a/west')
const site = {
  domains: [domain('isp-a', { sources: ['198.51.100.1'], servers: [east, west] })],
  providerIndependent: []
}
const toEast = legalPaths(site, east).paths[0]!
const toWest = legalPaths(site, west).paths[0]!
const toEastByStream = legalPaths(site, east).paths.find(({ transport }) => transport === 'tcp')!

let lastPeer = 0

/** An endpoint that does nothing by itself. */
class IdleEndpoint implements SecureEndpoint {
  readonly local
  readonly peers: PeerId[] = []
  readonly requests: ConnectRequest[] = []
  readonly retimed: (Duration | undefined)[] = []
  readonly handlers: SecureEndpointHandlers
  isDestroyed = false
  /** As when its address has gone. */
  isBroken = false

  constructor(options: SecureEndpointOptions, handlers: SecureEndpointHandlers) {
    this.local = options.local
    this.handlers = handlers
  }

  connect(request: ConnectRequest): PeerId {
    this.requests.push(request)
    if (this.isBroken) throw new Error('no such address')
    const peer = ++lastPeer as PeerId
    this.peers.push(peer)
    return peer
  }

  useHandshakeRetransmission(_: PeerId, retransmission: Duration | undefined): void {
    this.retimed.push(retransmission)
  }

  send(): boolean {
    return true
  }

  close(peer: PeerId): void {
    this.handlers.onSession({ kind: 'closed', peer, reason: 'local' })
  }

  maximumPlaintext(): number {
    return 1000
  }

  stats(): Readonly<Record<string, number>> {
    return {}
  }

  destroy(): Promise<void> {
    this.isDestroyed = true
    return Promise.resolve()
  }
}

class Bed {
  readonly endpoints: IdleEndpoint[] = []
  /** Endpoints for TCP. */
  readonly streams: IdleEndpoint[] = []
  readonly fed: ClientInput[] = []
  readonly pool: EndpointPool

  constructor(haste?: Duration) {
    const credentials = { kind: 'psk', identity: 'site', key: new Uint8Array(16) } as const
    this.pool = new EndpointPool(
      {
        open: (options, handlers) => this.#open(this.endpoints, options, handlers),
        openStream: (options, handlers) => this.#open(this.streams, options, handlers),
        ...(haste === undefined ? {} : { attackHandshakeRetransmission: haste })
      },
      new Map([[DomainName('isp-a'), credentials]]),
      (input) => this.fed.push(input)
    )
  }

  #open(
    list: IdleEndpoint[],
    options: SecureEndpointOptions,
    handlers: SecureEndpointHandlers
  ): Promise<IdleEndpoint> {
    const endpoint = new IdleEndpoint(options, handlers)
    list.push(endpoint)
    return Promise.resolve(endpoint)
  }

  connect(id: number, path = toEast, duringAttack = false): Promise<void> {
    return this.pool.connect(id as ConnectionId, path, path.referenceName, duringAttack)
  }
}

describe('the endpoints of a client', () => {
  it('are of another kind for streams, of which one serves any number of connections', async () => {
    const bed = new Bed()
    await bed.connect(1)
    await bed.connect(2, toEastByStream)
    await bed.connect(3, toEastByStream)
    expect(bed.endpoints.map(({ peers }) => peers.length)).toEqual([1])
    expect(bed.streams.map(({ peers }) => peers.length)).toEqual([2])
  })

  it('handshake in haste during an attack, where the operator allowed it, and at no other time', async () => {
    const allowed = new Bed(Milliseconds(400))
    await allowed.connect(1, toEast, true)
    await allowed.connect(2, toWest)
    const usual = new Bed()
    await usual.connect(1, toEast, true)
    const timers = [allowed, usual].flatMap(({ endpoints }) =>
      endpoints.flatMap(({ requests }) => requests.map((request) => request.handshakeRetransmission))
    )
    expect(timers).toEqual([400, undefined, undefined])
  })

  it('change the timer of a handshake under way when an attack begins or is over, also before it has begun', async () => {
    const bed = new Bed(Milliseconds(400))
    const opening = bed.connect(1)
    bed.pool.retime(1 as ConnectionId, true)
    await opening
    bed.pool.retime(1 as ConnectionId, false)
    bed.pool.retime(1 as ConnectionId, true)
    const [endpoint] = bed.endpoints
    expect(endpoint?.requests.map((request) => request.handshakeRetransmission)).toEqual([400])
    expect(endpoint?.retimed).toEqual([undefined, 400])
  })

  it('two servers of a domain share an endpoint, two sessions with one server do not', async () => {
    const bed = new Bed()
    await bed.connect(1)
    await bed.connect(2, toWest)
    expect(bed.endpoints).toHaveLength(1)
    await bed.connect(3)
    expect(bed.endpoints).toHaveLength(2)
  })

  it('after a handshake that came to nothing the next one binds anew: the interface may be another one now', async () => {
    const bed = new Bed()
    await bed.connect(1)
    const [first] = bed.endpoints
    first!.handlers.onSession({ kind: 'failed', peer: first!.peers[0]!, reason: 'timeout' })
    await bed.connect(2)
    expect(bed.endpoints).toHaveLength(2)
    expect(first?.isDestroyed).toBe(true)
    expect(bed.fed).toEqual([{ kind: 'session-failed', connection: 1, reason: 'timeout' }])
  })

  it('but not while the endpoint serves another session', async () => {
    const bed = new Bed()
    await bed.connect(1)
    await bed.connect(2, toWest)
    const [first] = bed.endpoints
    first!.handlers.onSession({ kind: 'failed', peer: first!.peers[0]!, reason: 'timeout' })
    await bed.connect(3)
    expect(bed.endpoints).toHaveLength(1)
    expect(first?.isDestroyed).toBe(false)
  })

  it('tells the sessions of an endpoint that is given up that they are over', async () => {
    const bed = new Bed()
    await bed.connect(1)
    bed.endpoints[0]!.isBroken = true
    await bed.connect(2, toWest)
    expect(bed.endpoints[0]?.isDestroyed).toBe(true)
    expect(bed.fed).toContainEqual({ kind: 'session-failed', connection: 2, reason: 'local' })
    expect(bed.fed).toContainEqual({ kind: 'session-closed', connection: 1, reason: 'local' })
    await bed.connect(3)
    expect(bed.endpoints).toHaveLength(2)
  })

  it('reports an attempt that was given up before its endpoint was open', async () => {
    const bed = new Bed()
    const connecting = bed.connect(1)
    bed.pool.close(1 as ConnectionId)
    await connecting
    expect(bed.fed).toEqual([{ kind: 'session-failed', connection: 1, reason: 'local' }])
    await bed.connect(2)
    expect(bed.endpoints).toHaveLength(1)
  })
})
