import { CoapSession, CoapStreamSession, OptionNumber, basicOptions } from '@breakwater/coap'
import type {
  CloseReason,
  CoapResponse,
  CoapSessionOutput,
  SessionLoad,
  CoapStreamOutput,
  IncomingExchange,
  ObserverHandle,
  OutgoingExchange
} from '@breakwater/coap'
import { Milliseconds, Seconds, after, earlier } from '@breakwater/core'
import type { Duration, Instant, NetworkPath, PeerId, PeerIdentity, Transport } from '@breakwater/core'
import { AGENT_BLOCKWISE } from '../../signal/block-transfer.ts'
import { Heartbeat } from '../../signal/heartbeat.ts'
import { heartbeatRequest } from '../../signal/heartbeat-message.ts'
import type { SessionParameters } from '../../signal/defaults.ts'
import { transmissionParameters } from '../../signal/session-configuration.ts'
import type { SessionConfiguration } from '../../signal/session-configuration.ts'
import { identityText } from '../requests/authorization.ts'
import type { Principal } from '../requests/authorization.ts'
import type { ClientState } from '../client-state.ts'
import type { Observation } from '../observation/observation.ts'
import type { ServerState } from '../server-state.ts'

type RequestOutput = Extract<CoapSessionOutput, { readonly kind: 'request' }>

/** Who is told of what a session brings. */
export interface SessionListener {
  request(session: ServerSession, incoming: RequestOutput, now: Instant): void
  observerGone(session: ServerSession, exchange: IncomingExchange): void
}

/** A configuration that the client conveyed (RFC 9132 §4.5.2). */
export interface NegotiatedConfiguration extends SessionConfiguration {
  readonly sid: number
}

/** If-Match: for efficacy updates (RFC 9132 §4.4.3); the router refuses it everywhere else. */
const UNDERSTOOD_OPTIONS: ReadonlySet<number> = new Set([...basicOptions, OptionNumber.ifMatch])

const TRAFFIC = { kind: 'traffic' } as const
const ANSWERED = { kind: 'answered' } as const

/** Beyond Max-Age: so long may a refresh that left in time be on its way (MAX_TRANSMIT_WAIT, RFC 7252 §4.8.2). */
const REFRESH_GRACE: Duration = Seconds(93)

/** One secure session with one DOTS client: its CoAP, its heartbeats, and what hangs on it until it closes. */
export class ServerSession {
  readonly peer: PeerId
  readonly identity: PeerIdentity
  /** For events and logs. */
  readonly identityText: string
  readonly path: NetworkPath
  readonly transport: Transport
  readonly establishedAt: Instant
  /** Undefined: a peer that we do not serve. Changes with the operator's list of client domains. */
  principal: Principal | undefined
  /** Clients that spoke through this session; it keeps their cuids bound. */
  readonly clients: Set<ClientState> = new Set()
  readonly observations: Map<IncomingExchange, Observation> = new Map()
  /** Observations that are to be told something when its turn comes; made when one has to wait. */
  waiting: Set<Observation> | undefined
  notifiedAt: Instant
  /** All sessions of its principal's owner, this one among them; undefined: nobody's, or closed. */
  ofOwner: ReadonlySet<ServerSession> | undefined
  /** Whether its client has a mitigation under way, which decides between the two sets of the configuration. */
  #mitigating = false
  #negotiated: NegotiatedConfiguration | undefined
  #parameters: SessionParameters
  readonly #state: ServerState
  readonly #listener: SessionListener
  readonly #coap: CoapSession | CoapStreamSession
  readonly #heartbeat: Heartbeat
  readonly #timer: string
  #armedAt: Instant | undefined
  /** What a datagram brings is mostly answered at once: the timer is looked at behind all of it. */
  #receiving = false
  #heartbeatExchange: OutgoingExchange | undefined
  #nextExchange = 1
  #malformed = 0
  #idleRequests = 0
  #closed = false

  constructor(
    established: {
      readonly peer: PeerId
      readonly identity: PeerIdentity
      readonly path: NetworkPath
      readonly transport: Transport
    },
    state: ServerState,
    listener: SessionListener,
    now: Instant
  ) {
    this.peer = established.peer
    this.identity = established.identity
    this.identityText = identityText(established.identity)
    this.path = established.path
    this.transport = established.transport
    this.establishedAt = now
    this.principal = state.authorization.principalOf(established.identity)
    // Nothing was sent yet: the first notification need not wait.
    this.notifiedAt = (now - 3_600_000) as Instant
    this.#state = state
    this.#listener = listener
    this.#timer = `session:${established.peer}`
    const { policy, entropy } = state
    this.#parameters = policy.session
    this.#coap = newCoap(established.transport, state, now)
    // RFC 9132 §4.7: each heartbeat may take one interval; how many may go unanswered is the same over both transports, for
    // a server that closes too early loses a client whose link is full.
    this.#heartbeat = new Heartbeat(policy.session, entropy, now)
    // On a stream, our CSM goes first (RFC 8323 §5.3).
    this.#drain(now)
  }

  receive(bytes: Uint8Array, now: Instant): void {
    this.#heartbeat.handle(TRAFFIC, now)
    this.#receiving = true
    try {
      this.#coap.handle({ kind: 'datagram', bytes }, now)
      this.#performAll(now)
    } finally {
      this.#receiving = false
      this.#arm()
    }
  }

  /** @returns false when the session closed before the answer. */
  respond(exchange: IncomingExchange, response: CoapResponse, now: Instant): boolean {
    if (this.#closed) return false
    this.#coap.handle({ kind: 'respond', exchange, response }, now)
    this.#drain(now)
    return true
  }

  /** Leaves a request without an answer. */
  ignore(exchange: IncomingExchange, now: Instant): void {
    if (this.#closed) return
    this.#coap.handle({ kind: 'ignore', exchange }, now)
    this.#drain(now)
  }

  /** When anything last came from the client, or the session began. */
  get heardAt(): Instant {
    return this.#heartbeat.lastTrafficAt
  }

  /** Our heartbeats since the last answer to one. */
  get unansweredHeartbeats(): number {
    return this.#heartbeat.unansweredCount
  }

  /** @returns how many requests have come, this one included, that changed nothing. */
  countIdleRequest(): number {
    return ++this.#idleRequests
  }

  /** RFC 9132 §4.4.2.1: never Confirmable. */
  notify(exchange: IncomingExchange, response: CoapResponse, now: Instant): void {
    this.#coap.handle({ kind: 'notify', exchange, response, confirmable: false }, now)
    this.#performAll(now)
    // One that goes in one piece waits for nothing.
    if (response.payload.length > AGENT_BLOCKWISE.preferredSize) this.#arm()
  }

  /** Undefined when it has gone, and on streams. */
  observer(exchange: IncomingExchange): ObserverHandle | undefined {
    return this.#coap instanceof CoapSession ? this.#coap.observer(exchange) : undefined
  }

  /** Its notifications end. */
  forgetObserver(exchange: IncomingExchange, now: Instant): void {
    this.#coap.handle({ kind: 'forget-observer', exchange }, now)
    this.#drain(now)
  }

  /** The peer probed us (RFC 9132 §4.7). */
  peerHeartbeat(peerHeartbeatStatus: boolean, now: Instant): void {
    this.#heartbeat.handle({ kind: 'peer-heartbeat', peerHeartbeatStatus }, now)
    this.#drainHeartbeat(now)
  }

  /** Undefined: nothing was conveyed, the defaults are in force. */
  get negotiated(): NegotiatedConfiguration | undefined {
    return this.#negotiated
  }

  get mitigating(): boolean {
    return this.#mitigating
  }

  /** What was conveyed, or else what the operator set for all. */
  get configuration(): SessionConfiguration {
    const { session } = this.#state.policy
    return this.#negotiated ?? { mitigating: session, idle: session }
  }

  /** The set that is in force at present. */
  get parameters(): SessionParameters {
    return this.#parameters
  }

  /** RFC 9132 §4.5.2, §4.5.4. @param negotiated Undefined: back to the defaults. */
  configure(negotiated: NegotiatedConfiguration | undefined, now: Instant): void {
    this.#negotiated = negotiated
    this.#followConfiguration(now)
  }

  /** RFC 9132 §4.5: each change of the mitigation activity switches to the other set. */
  followActivity(mitigating: boolean, now: Instant): void {
    if (this.#mitigating === mitigating) return
    this.#mitigating = mitigating
    // RFC 9132 §4.5.3: while it was under attack, the client was forbidden to refresh what it knows.
    if (!mitigating && this.#state.timers.at(freshnessTimer(this.peer)) !== undefined) this.expectRefresh(now)
    this.#followConfiguration(now)
  }

  /** The client was told a configuration that holds for a while; it has to ask again before that is over. */
  expectRefresh(now: Instant): void {
    const { configurationMaxAgeSeconds } = this.#state.policy
    this.#state.timers.set(
      freshnessTimer(this.peer),
      after(now, Milliseconds(Seconds(configurationMaxAgeSeconds) + REFRESH_GRACE))
    )
  }

  #followConfiguration(now: Instant): void {
    const parameters = this.#mitigating ? this.configuration.mitigating : this.configuration.idle
    if (parameters === this.#parameters) return
    this.#parameters = parameters
    this.#coap.handle({ kind: 'parameters', parameters: transmissionParameters(parameters) }, now)
    this.#heartbeat.handle({ kind: 'configuration', configuration: parameters }, now)
    this.#drain(now)
  }

  /** What its CoAP holds, and has lost. */
  load(): SessionLoad {
    return this.#coap.load()
  }

  /** Timer `session:<peer>`. */
  handleTimeout(now: Instant): void {
    this.#armedAt = undefined
    this.#coap.handleTimeout(now)
    this.#drain(now)
    this.#heartbeat.handleTimeout(now)
    this.#drainHeartbeat(now)
    this.#arm()
  }

  /** Nothing is sent any more; what others still hold of it is harmless. */
  close(): void {
    this.#closed = true
    this.#state.timers.cancel(this.#timer)
    this.#state.timers.cancel(freshnessTimer(this.peer))
  }

  #drain(now: Instant): void {
    this.#performAll(now)
    this.#arm()
  }

  #performAll(now: Instant): void {
    let request: RequestOutput | undefined
    /** A datagram brings one request at most, a piece of a stream any number. */
    let others: RequestOutput[] | undefined
    for (let output = this.#coap.poll(); output !== undefined; output = this.#coap.poll())
      if (output.kind !== 'request') this.#perform(output, now)
      else if (request === undefined) request = output
      else (others ??= []).push(output)
    // They are answered when all else has been taken out.
    if (request !== undefined) this.#listener.request(this, request, now)
    if (others !== undefined) for (const other of others) this.#listener.request(this, other, now)
  }

  #perform(output: Exclude<CoapStreamOutput, { kind: 'request' }>, now: Instant): void {
    switch (output.kind) {
      case 'send':
        this.#state.emit({ kind: 'send', peer: this.peer, bytes: output.bytes })
        return
      case 'response':
        if (output.exchange !== this.#heartbeatExchange) return
        this.#heartbeatExchange = undefined
        this.#heartbeat.handle(ANSWERED, now)
        this.#drainHeartbeat(now)
        return
      case 'failed':
        if (output.exchange === this.#heartbeatExchange) this.#heartbeatExchange = undefined
        return
      case 'observer-gone':
        this.#listener.observerGone(this, output.exchange)
        return
      case 'malformed':
        this.#reportMalformed(output.error.code, output.error.message)
        return
      case 'close':
        this.end(output.reason, output.diagnostic)
        return
      // What a client's Release asks for concerns whoever opens connections, which a server does not.
      case 'released':
      case 'pong':
    }
  }

  /** Closes the connection of a session over TCP. */
  end(reason: CloseReason | 'too-many-streams', diagnostic: string): void {
    const { peer, identityText: identity } = this
    this.#state.counters.count('dots_server_streams_ended_total', reason)
    this.#state.report({ kind: 'stream-ended', peer, identity, reason, diagnostic })
    this.#state.emit({ kind: 'close', peer })
  }

  #drainHeartbeat(now: Instant): void {
    for (let output = this.#heartbeat.poll(); output !== undefined; output = this.#heartbeat.poll()) {
      if (output.kind === 'send') {
        this.#sendHeartbeat(output.peerHeartbeatStatus, now)
        continue
      }
      this.#state.counters.count('dots_server_heartbeat_changes_total', output.kind)
      this.#state.report({
        kind: 'heartbeat',
        peer: this.peer,
        identity: this.identityText,
        state: output.kind
      })
      // RFC 9132 §4.7: only when nothing at all comes is the session disconnected.
      if (output.kind === 'silent') this.#state.emit({ kind: 'close', peer: this.peer })
    }
  }

  #sendHeartbeat(peerHeartbeatStatus: boolean, now: Instant): void {
    if (this.#heartbeatExchange !== undefined)
      this.#coap.handle({ kind: 'cancel', exchange: this.#heartbeatExchange }, now)
    const exchange = this.#nextExchange++ as OutgoingExchange
    this.#heartbeatExchange = exchange
    const request = heartbeatRequest(peerHeartbeatStatus)
    // RFC 9132 §4.7: Non-confirmable.
    this.#coap.handle({ kind: 'request', exchange, request, confirmable: false }, now)
    this.#state.counters.count('dots_server_heartbeats_sent_total')
    this.#drain(now)
  }

  #reportMalformed(code: string, message: string): void {
    this.#state.counters.count('dots_server_datagrams_malformed_total')
    const count = ++this.#malformed
    if ((count & (count - 1)) !== 0) return
    this.#state.report({
      kind: 'malformed',
      peer: this.peer,
      identity: this.identityText,
      code,
      message,
      count
    })
  }

  /** Moves the timer only forward: one that fires too early costs less than one that moves with every datagram. */
  #arm(): void {
    if (this.#receiving || this.#closed) return
    const next = earlier(this.#coap.nextTimeout(), this.#heartbeat.nextTimeout())
    if (next === undefined) return
    if (this.#armedAt !== undefined && this.#armedAt <= next) return
    this.#armedAt = next
    this.#state.timers.set(this.#timer, next)
  }
}

function newCoap(
  transport: Transport,
  { policy, entropy }: ServerState,
  now: Instant
): CoapSession | CoapStreamSession {
  const common = {
    parameters: transmissionParameters(policy.session),
    entropy,
    understoodOptions: UNDERSTOOD_OPTIONS,
    maxObservers: policy.limits.observationsPerSession,
    blockwise: AGENT_BLOCKWISE
  }
  // RFC 9132 §4.4.2.1: not even once a day; heartbeats tell whether the client lives.
  if (transport === 'udp') return new CoapSession({ ...common, longestUnconfirmedSeconds: Infinity })
  return new CoapStreamSession({ ...common, openedAt: now })
}

/** Name of the timer that is due when a client should have asked for its configuration again. */
export function freshnessTimer(peer: PeerId): string {
  return `freshness:${peer}`
}
