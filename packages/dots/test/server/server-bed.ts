import {
  CoapSession,
  CoapStreamSession,
  Method,
  OptionNumber,
  basicOptions,
  decodeMessage,
  uintOption,
  uriPath
} from '@breakwater/coap'
import type { CloseReason, CoapOption, OutgoingExchange } from '@breakwater/coap'
import { Instant, Seconds, WallTime, after } from '@breakwater/core'
import type { Duration, NetworkPath, PeerId, PeerIdentity, Transport } from '@breakwater/core'
import { decodeSignal, encodeSignal } from '@breakwater/model'
import type { MitigationScopeEntry, SignalMessage } from '@breakwater/model'
import {
  CONTENT_FORMAT_DOTS_CBOR,
  DotsServerMachine,
  MITIGATION_COLLECTION,
  configPath,
  heartbeatRequest,
  mitigatePath
} from '@breakwater/dots'
import type {
  Cuid,
  DropCounters,
  Failure,
  MitigationPlan,
  NameAnswer,
  PlanId,
  ServerEvent,
  ServerInput,
  ServerOutput
} from '@breakwater/dots'
import { address, seededEntropy } from '@breakwater/testing'
import type { SimulatedSharedStore } from '@breakwater/testing'
import type { BedOptions } from './bed-options.ts'
import { EXAMPLE, OTHER, certificate, cuid, mid } from './identities.ts'

export { EXAMPLE, OTHER, certificate, cuid, mid } from './identities.ts'

import { see } from './seen.ts'
import type { Seen } from './seen.ts'

export { entryOf, only, see } from './seen.ts'
export type { Seen } from './seen.ts'

/** A server machine driven by hand: its store, its mitigator and its peers are a few maps in front of the reader. */

export const WALL_START: WallTime = WallTime(1_767_225_600_000)
export const CUID: Cuid = cuid('dz6pHjaADkaFTbjr0JGBpw')
export type SignalConfig = NonNullable<SignalMessage['signalConfig']>

export class ServerBed {
  readonly machine: DotsServerMachine
  readonly events: ServerEvent[] = []
  readonly records = new Map<string, Uint8Array>()
  /** Two servers may have one device. */
  inForce = new Map<PlanId, MitigationPlan | undefined>()
  readonly applyCalls: MitigationPlan[] = []
  readonly withdrawCalls: PlanId[] = []
  readonly closed: PeerId[] = []
  readonly held: ServerOutput[] = []
  /** Datagrams of the server in order, by peer. */
  readonly sent: { readonly peer: PeerId; readonly at: Instant; readonly bytes: Uint8Array }[] = []
  /** Kinds of outputs that are kept in `held` instead of being done. */
  readonly hold = new Set<ServerOutput['kind']>()
  counters: ReadonlyMap<PlanId, DropCounters> = new Map()
  /** What names mean; of the others there are none. */
  readonly names = new Map<string, NameAnswer | Failure>()
  storeFailure: Failure | undefined
  mitigatorFailure: Failure | undefined
  /** Killed: it does nothing any more, also of what it was just about to do. */
  isDead = false
  /** Put around everything that the machine wants done. */
  around: (output: ServerOutput, perform: () => void) => void = (_, perform) => perform()
  now: Instant = Instant(1000)
  readonly #wallOffset: number
  readonly #shared: SimulatedSharedStore | undefined
  /** By which it is known to a store that is shared. */
  readonly writer: number
  readonly #inputs: ServerInput[] = []
  #running = false
  readonly #peers = new Map<PeerId, Peer>()
  #nextPeer = 1

  constructor(options: BedOptions = {}) {
    const { policy, domains = [EXAMPLE, OTHER], records = [], damaged = [], inForce = [] } = options
    this.#wallOffset = (options.wallClock ?? WALL_START) - this.now
    this.machine = new DotsServerMachine({
      entropy: seededEntropy(1),
      domains,
      ...(policy === undefined ? {} : { policy })
    })
    for (const { key, value } of records) this.records.set(key, value)
    for (const id of inForce) this.inForce.set(id, undefined)
    this.feed({ kind: 'clock', wallClock: this.wallClock() })
    this.#shared = options.shared
    this.writer = options.shared?.join() ?? 0
    if (this.#shared === undefined) this.feed({ kind: 'loaded', records, damaged })
    else
      this.feed({
        kind: 'loaded',
        ...this.#shared.load(MITIGATION_COLLECTION),
        revision: this.#shared.revision()
      })
  }

  /** By which all peers come. */
  get path(): NetworkPath {
    return PATH
  }

  wallClock(): WallTime {
    return WallTime(this.now + this.#wallOffset)
  }

  establish(identity: PeerIdentity = certificate('client.example.net'), transport: Transport = 'udp'): Peer {
    const id = this.#nextPeer++ as PeerId
    const peer = new Peer(this, id, transport)
    this.#peers.set(id, peer)
    this.feed({ kind: 'session-established', peer: id, identity, path: PATH, transport })
    peer.begin()
    return peer
  }

  feed(input: ServerInput): void {
    this.#inputs.push(input)
    this.#run()
  }

  /** Moves time on, from timer to timer. */
  advance(duration: Duration): void {
    const end = after(this.now, duration)
    while (!this.isDead) {
      const next = this.#nextTimeout()
      if (next === undefined || next > end) break
      this.now = next > this.now ? next : this.now
      this.machine.handleTimeout(this.now)
      this.#run()
      for (const peer of this.#peers.values()) peer.handleTimeout()
    }
    this.now = end
  }

  /** Does what was held, in order, and then what comes of it: a store, too, writes in the order in which it was asked. */
  release(): void {
    this.hold.clear()
    this.#running = true
    for (const output of this.held.splice(0)) this.#act(output)
    this.#running = false
    this.#run()
  }

  /** The plans in force, by the targets' texts. */
  plans(): string[] {
    return [...this.inForce.keys()].map(String).toSorted()
  }

  eventsOf<Kind extends ServerEvent['kind']>(kind: Kind): Extract<ServerEvent, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<ServerEvent, { kind: Kind }> => event.kind === kind)
  }

  #nextTimeout(): Instant | undefined {
    const all = [this.machine.nextTimeout(), ...[...this.#peers.values()].map((peer) => peer.nextTimeout())]
    const known = all.filter((at) => at !== undefined)
    return known.length === 0 ? undefined : Instant(Math.min(...known))
  }

  /** One input after the other, each drained and performed before the next. */
  #run(): void {
    if (this.#running) return
    this.#running = true
    this.#drain()
    for (let input = this.#inputs.shift(); input !== undefined; input = this.#inputs.shift()) {
      if (this.isDead) break
      this.machine.handle(input, this.now)
      this.#drain()
    }
    this.#running = false
  }

  #drain(): void {
    const outputs: ServerOutput[] = []
    for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll())
      outputs.push(output)
    for (const output of outputs) {
      if (this.hold.has(output.kind)) this.held.push(output)
      else this.#act(output)
    }
  }

  #act(output: ServerOutput): void {
    if (!this.isDead) this.around(output, () => this.#perform(output))
  }

  #send(peer: PeerId, bytes: Uint8Array): void {
    this.sent.push({ peer, at: this.now, bytes })
    this.#peers.get(peer)?.receive(bytes)
  }

  #perform(output: ServerOutput): void {
    switch (output.kind) {
      case 'send':
        this.#send(output.peer, output.bytes.slice())
        return
      case 'send-batch':
        for (let index = 0; index < output.batch.count; index++)
          this.#send(output.batch.peer(index), output.batch.bytes(index).slice())
        return
      case 'close':
        this.closed.push(output.peer)
        this.feed({ kind: 'session-closed', peer: output.peer, reason: 'local' })
        return
      case 'event':
        this.events.push(output.event)
        return
      case 'read-clock':
        this.feed({ kind: 'clock', wallClock: this.wallClock() })
        return
      case 'resolve':
        this.#resolve(output)
        return
      case 'store':
        this.#store(output)
        return
      case 'read-changes':
      case 'beat':
        this.#share(output)
        return
      case 'apply':
      case 'withdraw':
      case 'read-in-force':
      case 'read-counters':
        this.#mitigate(output)
    }
  }

  #share(output: Extract<ServerOutput, { kind: 'read-changes' | 'beat' }>): void {
    if (this.#shared === undefined) return
    if (output.kind === 'beat')
      this.feed({ kind: 'beat', beat: this.#shared.beat(this.writer, output.notice) })
    else {
      const others = this.#shared.changes(this.writer, MITIGATION_COLLECTION, output.seen)
      this.feed({ kind: 'changes', others })
    }
  }

  #store({ operation, changes, seen }: Extract<ServerOutput, { kind: 'store' }>): void {
    if (this.storeFailure !== undefined) {
      this.feed({ kind: 'store-failed', operation, failure: this.storeFailure })
      return
    }
    if (this.#shared !== undefined && seen !== undefined) {
      const outcome = this.#shared.commitAsOf(this.writer, seen, MITIGATION_COLLECTION, changes)
      if (outcome.kind === 'committed') this.feed({ kind: 'stored', operation })
      else this.feed({ kind: 'outdated', operation, others: outcome.others })
      return
    }
    for (const change of changes) {
      if (change.kind === 'put') this.records.set(change.key, change.value)
      else this.records.delete(change.key)
    }
    this.feed({ kind: 'stored', operation })
  }

  #resolve({ query, name }: Extract<ServerOutput, { kind: 'resolve' }>): void {
    const answer = this.names.get(name) ?? { kind: 'no-such-name', ttlSeconds: 30 }
    if ('kind' in answer) this.feed({ kind: 'resolved', query, answer })
    else this.feed({ kind: 'resolve-failed', query, failure: answer })
  }

  #mitigate(
    output: Extract<ServerOutput, { kind: 'apply' | 'withdraw' | 'read-in-force' | 'read-counters' }>
  ): void {
    const failure = this.mitigatorFailure
    switch (output.kind) {
      case 'apply':
        this.applyCalls.push(output.plan)
        if (failure !== undefined) this.feed({ kind: 'apply-failed', plan: output.plan.id, failure })
        else {
          this.inForce.set(output.plan.id, output.plan)
          this.feed({ kind: 'applied', plan: output.plan.id })
        }
        return
      case 'withdraw':
        this.withdrawCalls.push(output.plan)
        if (failure !== undefined) this.feed({ kind: 'withdraw-failed', plan: output.plan, failure })
        else {
          this.inForce.delete(output.plan)
          this.feed({ kind: 'withdrawn', plan: output.plan })
        }
        return
      case 'read-in-force':
        if (failure !== undefined) this.feed({ kind: 'in-force-failed', failure })
        else this.feed({ kind: 'in-force', plans: [...this.inForce.keys()] })
        return
      case 'read-counters':
        if (failure !== undefined) this.feed({ kind: 'counters-failed', failure })
        else this.feed({ kind: 'counters', counters: this.counters })
    }
  }
}

export interface UpdateOptions {
  readonly of?: Cuid
  readonly match?: Uint8Array
  readonly confirmable?: boolean
}

/** A DOTS client's end of one session. */
export class Peer {
  readonly id: PeerId
  readonly notifications: Seen[] = []
  /** What came, as it was on the wire. */
  readonly received: Uint8Array[] = []
  /** Heartbeats of the server that came. */
  heartbeats = 0
  /** `peer-hb-status` of the server's last heartbeat. */
  lastHeartbeatStatus: boolean | undefined
  /** Heartbeats are answered. */
  answersHeartbeats = true
  /** Nothing arrives. */
  deaf = false
  /** On a stream: how the server ended it. */
  end: CloseReason | undefined
  readonly #bed: ServerBed
  readonly #coap: CoapSession | CoapStreamSession
  readonly #responses = new Map<number, Seen[]>()
  #nextExchange = 1

  /** On UDP it sees every block by itself, on a stream whole bodies. */
  constructor(bed: ServerBed, id: PeerId, transport: Transport) {
    this.#bed = bed
    this.id = id
    const entropy = seededEntropy(100 + id)
    const parameters = {
      ackTimeoutSeconds: 2,
      ackRandomFactor: 1.5,
      maxRetransmit: 3,
      nstart: 1,
      maxLatencySeconds: 100
    }
    const understoodOptions = new Set([...basicOptions, OptionNumber.block1, OptionNumber.block2])
    const blockwise = { maximumBodyBytes: 100_000, preferredSize: 1024 }
    this.#coap =
      transport === 'udp'
        ? new CoapSession({ parameters, entropy, understoodOptions })
        : new CoapStreamSession({ parameters, entropy, blockwise, openedAt: bed.now })
  }

  /** Says what it has to say first. */
  begin(): void {
    this.#drain()
  }

  /** Sends a request, Non-confirmable unless told otherwise; the answers that came so far. */
  request(
    method: number,
    options: readonly CoapOption[],
    payload: Uint8Array = new Uint8Array(0),
    confirmable = false
  ): Seen[] {
    const exchange = this.#nextExchange++
    const seen: Seen[] = []
    this.#responses.set(exchange, seen)
    const request = { method, options, payload }
    this.#coap.handle(
      { kind: 'request', exchange: exchange as OutgoingExchange, request, confirmable },
      this.#bed.now
    )
    this.#drain()
    return seen
  }

  /** Forgets the last request; what still comes for it is unknown here. */
  forget(): void {
    this.#coap.handle(
      { kind: 'cancel', exchange: (this.#nextExchange - 1) as OutgoingExchange },
      this.#bed.now
    )
    this.#drain()
  }

  put(id: number, entry: MitigationScopeEntry, of: Cuid = CUID): Seen[] {
    return this.putBody(id, encodeSignal({ mitigationScope: { scope: [entry] } }), of)
  }

  putBody(id: number, payload: Uint8Array, of: Cuid = CUID): Seen[] {
    return this.request(Method.put, [...mitigatePath(of, mid(id)), FORMAT], payload)
  }

  /** PUT under If-Match, empty unless told otherwise. */
  update(
    id: number,
    entry: MitigationScopeEntry,
    { of = CUID, match = new Uint8Array(0), confirmable = false }: UpdateOptions = {}
  ): Seen[] {
    const options = [{ number: OptionNumber.ifMatch, value: match }, ...mitigatePath(of, mid(id)), FORMAT]
    const body = encodeSignal({ mitigationScope: { scope: [entry] } })
    return this.request(Method.put, options, body, confirmable)
  }

  get(id?: number, options: readonly CoapOption[] = [], of: Cuid = CUID): Seen[] {
    const path = mitigatePath(of, id === undefined ? undefined : mid(id))
    return this.request(Method.get, sorted([...path, ...options]))
  }

  observe(id?: number, of: Cuid = CUID): Seen[] {
    return this.get(id, [uintOption(OptionNumber.observe, 0)], of)
  }

  delete(id: number, of: Cuid = CUID): Seen[] {
    return this.request(Method.delete, mitigatePath(of, mid(id)))
  }

  config(options: readonly CoapOption[] = []): Seen[] {
    return this.request(Method.get, sorted([...configPath(), ...options]))
  }

  /** GET, or what else is told, on `/config/sid=…`. */
  configOf(sid: number, method: number = Method.get, options: readonly CoapOption[] = []): Seen[] {
    return this.request(method, sorted([...sidPath(sid), ...options]))
  }

  configure(sid: number, signalConfig: SignalConfig): Seen[] {
    return this.request(Method.put, [...sidPath(sid), FORMAT], encodeSignal({ signalConfig }))
  }

  heartbeat(peerHeartbeatStatus = true): Seen[] {
    const { method, options, payload } = heartbeatRequest(peerHeartbeatStatus)
    return this.request(method, options, payload)
  }

  /** Puts bytes on the wire as they are. */
  send(bytes: Uint8Array): void {
    this.#bed.feed({ kind: 'datagram', peer: this.id, bytes })
  }

  receive(bytes: Uint8Array): void {
    if (this.deaf) return
    this.received.push(bytes)
    this.#coap.handle({ kind: 'datagram', bytes }, this.#bed.now)
    this.#drain()
  }

  nextTimeout(): Instant | undefined {
    return this.#coap.nextTimeout()
  }

  handleTimeout(): void {
    this.#coap.handleTimeout(this.#bed.now)
    this.#drain()
  }

  #drain(): void {
    for (let output = this.#coap.poll(); output !== undefined; output = this.#coap.poll()) {
      if (output.kind === 'send') this.#bed.feed({ kind: 'datagram', peer: this.id, bytes: output.bytes })
      else if (output.kind === 'close') this.end = output.reason
      else if (output.kind === 'response') {
        const seen = see(output.response)
        const first = this.#responses.get(output.exchange)
        if (first !== undefined && first.length === 0) first.push(seen)
        else this.notifications.push(seen)
      } else if (output.kind === 'request') {
        this.heartbeats++
        this.lastHeartbeatStatus = decodeSignal(output.request.payload).heartbeat?.peerHbStatus
        if (!this.answersHeartbeats) continue
        const response = { code: 0x44, options: [], payload: new Uint8Array(0) }
        this.#coap.handle({ kind: 'respond', exchange: output.exchange, response }, this.#bed.now)
      }
    }
  }
}

const FORMAT = uintOption(OptionNumber.contentFormat, CONTENT_FORMAT_DOTS_CBOR)

const PATH: NetworkPath = {
  local: { address: address('192.0.2.250'), port: 4646 },
  remote: { address: address('203.0.113.9'), port: 50_000 }
}

/** Type and code of a datagram of the server's. */
export function messageType(bytes: Uint8Array): string {
  return decodeMessage(bytes).type
}

export const HOUR: Duration = Seconds(3600)

function sidPath(sid: number): CoapOption[] {
  return uriPath('.well-known', 'dots', 'config', `sid=${sid}`)
}

function sorted(options: CoapOption[]): CoapOption[] {
  return options.toSorted((a, b) => a.number - b.number)
}
