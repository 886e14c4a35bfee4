import { Code, Method } from '@breakwater/coap'
import type { CoapRequest, OutgoingExchange } from '@breakwater/coap'
import type { Entropy, Instant, Transport } from '@breakwater/core'
import type { SessionParameters } from '../../signal/defaults.ts'
import { Heartbeat } from '../../signal/heartbeat.ts'
import { heartbeatRequest, parseHeartbeat } from '../../signal/heartbeat-message.ts'
import { isHeartbeatPath } from '../../signal/resource.ts'
import type { SignalSessionOutput } from './session-io.ts'
import { heartbeatConfiguration } from './session-transport.ts'

/** Heartbeats over a stream whose answers may still come. */
const MOST_LATE_HEARTBEATS = 8

/** What heartbeats say of a session. */
export type HeartbeatNews = Extract<
  SignalSessionOutput,
  { readonly kind: 'heartbeats-lost' | 'heartbeats-back' | 'unresponsive' | 'heard' }
>

export interface SessionHeartbeatsOptions {
  readonly transport: Transport
  readonly parameters: SessionParameters
  readonly entropy: Entropy
  readonly tell: (news: HeartbeatNews) => void
}

/**
 * The heartbeats of one session at the client, both ways (RFC 9132 §4.7). `Heartbeat` says when one is due; here it waits
 * for its turn among the other requests of its session, and here is known which exchanges were heartbeats, so that their
 * answers are not taken for anything else.
 */
export class SessionHeartbeats {
  readonly #heartbeat: Heartbeat
  readonly #transport: Transport
  readonly #tell: (news: HeartbeatNews) => void
  /** Without an answer so far, and when they were sent. */
  readonly #unanswered = new Map<OutgoingExchange, Instant>()
  /** We send heartbeats, so that the server can miss them. */
  #areOn: boolean
  /** As many as allowed have no answer, which was told. */
  #areLost = false
  /** Waits for its turn, with its status. */
  #waiting: { readonly peerHeartbeatStatus: boolean } | undefined

  constructor({ transport, parameters, entropy, tell }: SessionHeartbeatsOptions, now: Instant) {
    this.#transport = transport
    this.#heartbeat = new Heartbeat(heartbeatConfiguration(transport, parameters), entropy, now)
    this.#areOn = parameters.heartbeatIntervalSeconds > 0
    this.#tell = tell
  }

  /** As many as allowed have no answer. */
  get areLost(): boolean {
    return this.#areLost
  }

  /** One wants to be sent. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /** When the first of those was sent that have no answer; undefined: there is none. */
  get unansweredSince(): Instant | undefined {
    for (const sentAt of this.#unanswered.values()) return sentAt
    return undefined
  }

  /** Nothing has come for two heartbeat intervals. */
  isUnresponsive(now: Instant): boolean {
    return this.#heartbeat.isUnresponsive(now)
  }

  configure(parameters: SessionParameters, now: Instant): void {
    const configuration = heartbeatConfiguration(this.#transport, parameters)
    this.#areOn = parameters.heartbeatIntervalSeconds > 0
    this.#heartbeat.handle({ kind: 'configuration', configuration }, now)
  }

  /** One goes now, unless the last one was just now. */
  look(now: Instant): void {
    this.#heartbeat.handle({ kind: 'look' }, now)
    this.#drain()
  }

  nextTimeout(): Instant | undefined {
    return this.#heartbeat.nextTimeout()
  }

  handleTimeout(now: Instant): void {
    this.#heartbeat.handleTimeout(now)
    this.#drain()
    if (this.isWaiting && this.isUnresponsive(now)) this.#tell({ kind: 'unresponsive' })
  }

  /** The one that waits has its turn, by this exchange. @returns what to send. */
  take(exchange: OutgoingExchange, now: Instant): CoapRequest {
    const status = this.#waiting?.peerHeartbeatStatus ?? false
    this.#waiting = undefined
    this.#unanswered.set(exchange, now)
    return heartbeatRequest(status)
  }

  /**
   * A datagram's answer that is late is as good as lost; a stream's is not, and says that the server lives.
   * @returns the exchanges that are waited for no longer.
   */
  forgetLate(): OutgoingExchange[] {
    const most = this.#transport === 'udp' ? 0 : MOST_LATE_HEARTBEATS
    const late = [...this.#unanswered.keys()].slice(0, Math.max(0, this.#unanswered.size - most))
    for (const exchange of late) this.#unanswered.delete(exchange)
    return late
  }

  /** @returns when the heartbeat of this exchange was sent; undefined: it was none. */
  answered(exchange: OutgoingExchange, now: Instant): Instant | undefined {
    const sentAt = this.#unanswered.get(exchange)
    if (sentAt === undefined) return undefined
    this.#unanswered.delete(exchange)
    this.#heartbeat.handle({ kind: 'answered' }, now)
    this.#drain()
    return sentAt
  }

  /** No answer will come. @returns whether the exchange was a heartbeat. */
  failed(exchange: OutgoingExchange): boolean {
    return this.#unanswered.delete(exchange)
  }

  /** Anything came from the server. */
  heard(now: Instant): void {
    this.#heartbeat.handle({ kind: 'traffic' }, now)
    this.#drain()
  }

  /** RFC 9132 §4.7: the server probes us, too. It has nothing else to ask of a client. @returns the answer's code. */
  answerTo(request: CoapRequest, now: Instant): number {
    if (!isHeartbeatPath(request.options)) return Code.notFound
    if (request.method !== Method.put) return Code.methodNotAllowed
    const status = parseHeartbeat(request.payload)
    if (!status.ok) return status.problem.answer
    this.#heartbeat.handle({ kind: 'peer-heartbeat', peerHeartbeatStatus: status.value }, now)
    this.#tell({ kind: 'heard', hearsUs: this.#areOn ? status.value : undefined })
    this.#drain()
    return Code.changed
  }

  #drain(): void {
    for (let output = this.#heartbeat.poll(); output !== undefined; output = this.#heartbeat.poll())
      switch (output.kind) {
        case 'send':
          this.#waiting = { peerHeartbeatStatus: output.peerHeartbeatStatus }
          break
        // RFC 9132 §4.7: to a client, only answers count; that the server is heard does not say that it hears us.
        case 'unanswered':
        case 'silent':
          this.#areLost = true
          this.#tell({ kind: 'heartbeats-lost' })
          break
        case 'answered-again':
          this.#areLost = false
          this.#tell({ kind: 'heartbeats-back' })
          break
      }
  }
}
