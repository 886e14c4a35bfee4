import { Code, isRequest } from '@breakwater/coap'
import type {
  CloseReason,
  CoapRequest,
  CoapResponse,
  CoapSession,
  CoapSessionInput,
  CoapSessionOutput,
  SessionLoad,
  CoapStreamOutput,
  CoapStreamSession,
  OutgoingExchange
} from '@breakwater/coap'
import { Milliseconds, Seconds, after, between, earlier } from '@breakwater/core'
import type { Duration, Entropy, Instant, Machine, Transport } from '@breakwater/core'
import { DEFAULT_SESSION_PARAMETERS, PACING_WITHOUT_RTT } from '../../signal/defaults.ts'
import type { SessionParameters } from '../../signal/defaults.ts'
import { transmissionParameters } from '../../signal/session-configuration.ts'
import {
  HEARTBEAT_PRIORITY,
  errandKey,
  errandPriority,
  isAboutSession,
  isMitigationRequest,
  isObserved
} from './errand.ts'
import { AnswerWatch } from './answer-watch.ts'
import { isBefore, roundTripOf } from './open-errand.ts'
import type { OpenErrand } from './open-errand.ts'
import type { Errand } from './errand.ts'
import { Farewells } from './farewells.ts'
import type { Pacing } from './pacing.ts'
import { FurtherBlocks, isPacedRequest } from './further-blocks.ts'
import { ProbingRate } from './probing-rate.ts'
import { HEARTBEAT_BYTES, sizeOf } from '../requests/request-size.ts'
import { StreamBudget } from './sending-budget.ts'
import type { SendingBudget } from './sending-budget.ts'
import { SessionHeartbeats } from './session-heartbeats.ts'
import type { SignalSessionInput, SignalSessionOutput } from './session-io.ts'
import { newCoap } from './session-transport.ts'

/** An observation that is quiet for so long is asked for again (RFC 7641 §3.3.1): the server may have forgotten it. */
const OBSERVATION_RENEWAL: Duration = Seconds(120)

/** How soon a mitigation is asked about again whose server does not serve observers (RFC 9132 §4.4.2.2). */
const POLLING: Duration = Seconds(30)

const LONGEST_BACK_OFF: Duration = Seconds(60)

export interface SignalSessionOptions {
  readonly entropy: Entropy
  readonly transport: Transport
  /** The budget of all sessions with this server over UDP. */
  readonly pacing: Pacing
  /** Default: those of RFC 9132. */
  readonly parameters?: SessionParameters
}

/**
 * One signal channel session as the client drives it: what is asked goes out as Non-confirmable requests, repeated every
 * 3 seconds until answered and paced over all of them (RFC 9132 §4.4); heartbeats both ways (RFC 9132 §4.7). On a stream
 * everything is said once and at once, for TCP repeats and paces (RFC 8323 §3.2).
 */
export class SignalSession implements Machine<SignalSessionInput, SignalSessionOutput> {
  readonly #coap: CoapSession | CoapStreamSession
  readonly #heartbeats: SessionHeartbeats
  readonly #transport: Transport
  readonly #pacing: SendingBudget
  /** RFC 7252 §9.1: a security association makes an endpoint, so each session has its own. */
  readonly #probing: ProbingRate
  readonly #errands = new Map<string, OpenErrand>()
  readonly #byExchange = new Map<OutgoingExchange, OpenErrand>()
  #nextExchange = 1
  #heardAt: Instant
  #sentAt: Instant | undefined
  #holdOffSeconds: number | undefined
  readonly #answers = new AnswerWatch()
  readonly #further = new FurtherBlocks()
  readonly #farewells = new Farewells()
  #isOurTurn = false
  /** When CoAP last sent a Confirmable request by itself: a copy, or one that had to wait for another (NSTART). */
  #copiedAt: Instant | undefined
  readonly #outputs: SignalSessionOutput[] = []

  constructor(options: SignalSessionOptions, now: Instant) {
    const { entropy, transport, pacing, parameters = DEFAULT_SESSION_PARAMETERS } = options
    this.#transport = transport
    this.#coap = newCoap(transport, parameters, entropy, now)
    this.#heartbeats = new SessionHeartbeats(
      { transport, parameters, entropy, tell: (news) => this.#outputs.push(news) },
      now
    )
    this.#pacing = transport === 'udp' ? pacing : new StreamBudget()
    // Nothing on a stream is sent to a server that does not acknowledge it.
    const probingRate = transport === 'udp' ? parameters.probingRateBytesPerSecond : Infinity
    this.#probing = new ProbingRate(probingRate)
    this.#heardAt = now
    // On a stream, our CSM goes first (RFC 8323 §5.3).
    this.#drainCoap(now)
  }

  /** When anything last came from the server, or the session began. */
  get heardAt(): Instant {
    return this.#heardAt
  }

  /** Smoothed; undefined while there is no estimate. */
  get roundTrip(): Duration | undefined {
    return this.#pacing.roundTrip
  }

  /** When a request last left here; undefined: never. */
  get sentAt(): Instant | undefined {
    return this.#sentAt
  }

  /** Nothing has come for two heartbeat intervals. */
  isUnresponsive(now: Instant): boolean {
    return this.#heartbeats.isUnresponsive(now)
  }

  /** As many heartbeats as allowed have no answer. */
  get isSilenced(): boolean {
    return this.#heartbeats.areLost
  }

  /** How urgent is what waits to be sent here, less for what is more urgent; `Infinity`: nothing waits. */
  urgency(now: Instant): number {
    const open = this.#mostUrgent(now)
    if (open !== undefined) return errandPriority(open.errand, open.sendings)
    const isAllowed = this.#isHeartbeatAllowed(now) || this.#isFarewellAllowed(now)
    return isAllowed || this.#isFurtherAllowed(now) ? HEARTBEAT_PRIORITY : Infinity
  }

  /** How long the server wants not to be asked again when this is over (RFC 8323 §5.5); undefined: it did not say. */
  get holdOffSeconds(): number | undefined {
    return this.#holdOffSeconds
  }

  handle(input: SignalSessionInput, now: Instant): void {
    switch (input.kind) {
      case 'datagram':
        this.#probing.heard()
        this.#coap.handle({ kind: 'datagram', bytes: input.bytes }, now)
        this.#drainCoap(now)
        return
      case 'ask':
        this.#open(input.errand, input.request, now)
        return
      case 'forget':
        this.#forget(errandKey(input.errand), now)
        return
      case 'parameters':
        this.#configure(input.parameters, now)
        return
      case 'stand-down':
        for (const [key, { errand }] of this.#errands) if (!isAboutSession(errand)) this.#forget(key, now)
        return
      case 'look':
        this.#heartbeats.look(now)
        return
      case 'send':
        this.#sendWhatMay(now)
    }
  }

  /** Mitigation requests that have no answer. */
  get pendingRequests(): readonly { readonly errand: Errand; readonly request: CoapRequest }[] {
    return [...this.#errands.values()].filter(({ errand }) => isMitigationRequest(errand))
  }

  poll(): SignalSessionOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    const next = earlier(this.#coap.nextTimeout(), this.#heartbeats.nextTimeout())
    return earlier(this.#nextSending(), earlier(next, this.#answers.nextTimeout()))
  }

  /** What its CoAP holds, and has lost. */
  load(): SessionLoad {
    return this.#coap.load()
  }

  handleTimeout(now: Instant): void {
    this.#coap.handleTimeout(now)
    this.#drainCoap(now)
    this.#heartbeats.handleTimeout(now)
    const since = this.#answers.handleTimeout(now)
    if (since !== undefined) this.#outputs.push({ kind: 'unanswered', since })
    this.#sendWhatMay(now)
  }

  #configure(parameters: SessionParameters, now: Instant): void {
    this.#coap.handle({ kind: 'parameters', parameters: transmissionParameters(parameters) }, now)
    this.#heartbeats.configure(parameters, now)
    if (this.#transport === 'udp') this.#probing.bytesPerSecond = parameters.probingRateBytesPerSecond
  }

  #open(errand: Errand, request: CoapRequest, now: Instant): void {
    const key = errandKey(errand)
    this.#drop(key, now)
    const open: OpenErrand = {
      errand,
      request,
      exchange: this.#newExchange(),
      dueAt: now,
      sentAt: undefined,
      sendings: 0,
      isRenewal: false
    }
    this.#errands.set(key, open)
    this.#byExchange.set(open.exchange, open)
  }

  /** Over datagrams the end of an observation waits for its turn; on a stream `cancel` says it. */
  #forget(key: string, now: Instant): void {
    const open = this.#errands.get(key)
    if (this.#transport === 'tcp' || open?.sentAt === undefined || !isObserved(open.errand)) {
      this.#drop(key, now)
      return
    }
    this.#errands.delete(key)
    this.#byExchange.delete(open.exchange)
    const { exchange, request, sendings } = open
    this.#farewells.add(key, { exchange, bytes: sizeOf(request), isUnanswered: sendings > 0 })
  }

  /** Without a word: it is over, or about to be asked anew. */
  #drop(key: string, now: Instant): void {
    const open = this.#errands.get(key)
    const exchange = open?.exchange ?? this.#farewells.recall(key)
    if (exchange === undefined) return
    this.#errands.delete(key)
    this.#byExchange.delete(exchange)
    this.#coap.handle({ kind: 'cancel', exchange }, now)
    this.#drainCoap(now)
  }

  #newExchange(): OutgoingExchange {
    return this.#nextExchange++ as OutgoingExchange
  }

  /** When something that waits may go; undefined when nothing waits. */
  #nextSending(): Instant | undefined {
    let due: Instant | undefined
    for (const open of this.#errands.values()) due = earlier(due, this.#wantedAt(open))
    const allowed = this.#pacing.nextAt()
    const further = this.#further.next
    if (further !== undefined)
      due = earlier(due, this.#probing.nextAt(further.length) ?? allowed ?? this.#heardAt)
    if (this.#heartbeats.isWaiting)
      due = earlier(due, this.#probing.nextAt(HEARTBEAT_BYTES) ?? allowed ?? this.#heardAt)
    const farewell = this.#farewells.next
    if (farewell !== undefined)
      due = earlier(due, this.#probing.nextAt(farewell.bytes) ?? allowed ?? this.#heardAt)
    if (due === undefined || allowed === undefined) return due
    return due > allowed ? due : allowed
  }

  /** Questions may not go faster than probing-rate to a server that is silent; mitigation requests do (RFC 9132 §4.4). */
  #wantedAt({ errand, request, dueAt }: OpenErrand): Instant | undefined {
    const allowed = isMitigationRequest(errand) ? undefined : this.#probing.nextAt(sizeOf(request))
    if (dueAt === undefined) return undefined
    return allowed !== undefined && allowed > dueAt ? allowed : dueAt
  }

  #isHeartbeatAllowed(now: Instant): boolean {
    return this.#heartbeats.isWaiting && this.#probing.allows(HEARTBEAT_BYTES, now)
  }

  #isFurtherAllowed(now: Instant): boolean {
    const further = this.#further.next
    return further !== undefined && this.#probing.allows(further.length, now)
  }

  #isFarewellAllowed(now: Instant): boolean {
    const farewell = this.#farewells.next
    return farewell !== undefined && this.#probing.allows(farewell.bytes, now)
  }

  /** One request for each round trip; never a heartbeat before a mitigation request (RFC 9132 §4.4). */
  #sendWhatMay(now: Instant): void {
    while (this.#pacing.allows(now)) {
      const open = this.#mostUrgent(now)
      // What was begun is finished before something else is asked.
      const isUrgent = open !== undefined && isMitigationRequest(open.errand)
      if (!isUrgent && this.#isFurtherAllowed(now)) this.#sendFurther(now)
      else if (open !== undefined) this.#send(open, now)
      else if (this.#isHeartbeatAllowed(now)) this.#sendHeartbeat(now)
      else if (this.#isFarewellAllowed(now)) this.#sendFarewell(now)
      else return
    }
  }

  #mostUrgent(now: Instant): OpenErrand | undefined {
    let best: OpenErrand | undefined
    for (const open of this.#errands.values()) {
      const wantedAt = this.#wantedAt(open)
      if (wantedAt === undefined || wantedAt > now) continue
      if (best === undefined || isBefore(open, best)) best = open
    }
    return best
  }

  #send(open: OpenErrand, now: Instant): void {
    const { exchange, request } = open
    if (open.sendings > 0) this.#pacing.forgetRoundTrip()
    // On a stream this only means that the request fails when no answer comes for minutes.
    const confirmable = this.#transport === 'tcp' || isAboutSession(open.errand)
    open.isRenewal = open.sentAt !== undefined
    open.sentAt = now
    this.#answers.sent(now)
    open.sendings++
    // RFC 9132 §4.4 has datagrams repeated; what is Confirmable CoAP repeats, and TCP what is on a stream.
    open.dueAt = confirmable ? undefined : after(now, untilRepetition(open))
    if (!isMitigationRequest(open.errand)) this.#probing.sent(sizeOf(request), now)
    if (open.isRenewal) this.#inOurTurn({ kind: 'repeat', exchange }, now)
    else this.#inOurTurn({ kind: 'request', exchange, request, confirmable }, now)
  }

  #sendHeartbeat(now: Instant): void {
    // By another session, the server may have answered since.
    const { unansweredSince } = this.#heartbeats
    if (unansweredSince !== undefined) this.#pacing.forgetRoundTrip(unansweredSince)
    for (const late of this.#heartbeats.forgetLate())
      this.#coap.handle({ kind: 'cancel', exchange: late }, now)
    const exchange = this.#newExchange()
    const request = this.#heartbeats.take(exchange, now)
    this.#probing.sent(HEARTBEAT_BYTES, now)
    this.#answers.sent(now)
    this.#inOurTurn({ kind: 'request', exchange, request, confirmable: false }, now)
  }

  #sendFurther(now: Instant): void {
    const further = this.#further.take()
    if (further === undefined) return
    this.#probing.sent(further.length, now)
    this.#outputs.push({ kind: 'send', bytes: further })
    this.#pacing.sent(now)
  }

  #sendFarewell(now: Instant): void {
    const farewell = this.#farewells.take()
    if (farewell === undefined) return
    // It has the token of what got no answer: an answer that comes now tells nothing of the round trip.
    if (farewell.isUnanswered) this.#pacing.forgetRoundTrip()
    this.#probing.sent(farewell.bytes, now)
    this.#inOurTurn({ kind: 'cancel', exchange: farewell.exchange, deregister: true }, now)
  }

  #drainCoap(now: Instant): void {
    for (let output = this.#coap.poll(); output !== undefined; output = this.#coap.poll())
      this.#perform(output, now)
  }

  #perform(output: CoapStreamOutput, now: Instant): void {
    switch (output.kind) {
      case 'send':
        this.#sendBytes(output.bytes, now)
        return
      case 'response':
        this.#heard(now)
        this.#answered(output.exchange, output.response, output.final, now)
        return
      case 'request':
        this.#heard(now)
        this.#serve(output.exchange, output.request, now)
        return
      case 'failed':
        this.#failed(output.exchange, now)
        return
      case 'malformed':
        this.#outputs.push({ kind: 'malformed', text: output.error.message })
        return
      case 'released':
        // Its alternative addresses are not followed: who stands in for a DOTS server, the server says by 5.03 (RFC 9132 §4.6).
        this.#holdOffSeconds = output.release.holdOffSeconds
        return
      case 'close':
        this.#end(output.reason, output.diagnostic)
        return
      // We send no pings and serve no observers.
      case 'pong':
      case 'observer-gone':
    }
  }

  #sendBytes(bytes: Uint8Array, now: Instant): void {
    if (this.#transport === 'udp' && !this.#isOurTurn && isPacedRequest(bytes)) {
      this.#further.add(bytes)
      return
    }
    this.#outputs.push({ kind: 'send', bytes })
    if (this.#transport !== 'udp' || !isRequest(bytes[1] ?? 0)) return
    if (!this.#isOurTurn) this.#copiedAt = now
    if (!this.#isAskedBeside) this.#pacing.sent(now)
  }

  /**
   * Mitigation requests go at regular intervals (RFC 9132 §4.4): no copy of something else, which CoAP sends at a pace of its
   * own (RFC 7252 §4.2), puts the next one off.
   */
  get #isAskedBeside(): boolean {
    return !this.#isOurTurn && this.pendingRequests.length > 0
  }

  /** Asks as the pacing has just allowed. */
  #inOurTurn(input: CoapSessionInput, now: Instant): void {
    this.#sentAt = now
    this.#isOurTurn = true
    this.#coap.handle(input, now)
    this.#drainCoap(now)
    this.#isOurTurn = false
  }

  #end(reason: CloseReason, diagnostic: string): void {
    const text = diagnostic === '' ? reason : `${reason}: ${diagnostic}`
    this.#outputs.push({ kind: 'ended', reason: text, holdOffSeconds: this.#holdOffSeconds })
  }

  #heard(now: Instant): void {
    this.#heardAt = now
    this.#heartbeats.heard(now)
  }

  #answered(exchange: OutgoingExchange, response: CoapResponse, isFinal: boolean, now: Instant): void {
    const heartbeatSentAt = this.#heartbeats.answered(exchange, now)
    if (heartbeatSentAt !== undefined) {
      this.#wasAnswered(between(heartbeatSentAt, now), now)
      return
    }
    const open = this.#byExchange.get(exchange)
    if (open === undefined) return
    if (open.sendings === 0) this.#outputs.push({ kind: 'heard', hearsUs: undefined })
    else this.#wasAnswered(roundTripOf(open, now, this.#copiedAt), now)
    open.sendings = 0
    // RFC 8323 §7.3: on a stream an observation lives as long as the connection.
    // The configuration is renewed before its Max-Age is over, and never during an attack (RFC 9132 §4.5.3).
    const isRenewed = this.#transport === 'udp' && !isAboutSession(open.errand)
    if (!isFinal) open.dueAt = isRenewed ? after(now, OBSERVATION_RENEWAL) : undefined
    else this.#close(open, response, now)
    this.#outputs.push({ kind: 'answer', errand: open.errand, response })
  }

  #wasAnswered(roundTrip: Duration | undefined, now: Instant): void {
    if (roundTrip !== undefined) this.#pacing.measured(roundTrip, now)
    this.#answers.answered(roundTrip)
    this.#outputs.push({ kind: 'answered', roundTrip })
  }

  #close(open: OpenErrand, response: CoapResponse, now: Instant): void {
    this.#byExchange.delete(open.exchange)
    if (open.errand.kind !== 'observe' || response.code !== Code.content) {
      this.#errands.delete(errandKey(open.errand))
      return
    }
    open.exchange = this.#newExchange()
    open.sentAt = undefined
    open.dueAt = after(now, POLLING)
    this.#byExchange.set(open.exchange, open)
  }

  /** The server rejected the message itself, or we have too much open: try again in the usual rhythm. */
  #failed(exchange: OutgoingExchange, now: Instant): void {
    if (this.#heartbeats.failed(exchange)) return
    const open = this.#byExchange.get(exchange)
    if (open === undefined) return
    this.#byExchange.delete(exchange)
    open.exchange = this.#newExchange()
    open.sentAt = undefined
    open.dueAt = after(now, isAboutSession(open.errand) ? LONGEST_BACK_OFF : PACING_WITHOUT_RTT)
    this.#byExchange.set(open.exchange, open)
  }

  #serve(
    exchange: (CoapSessionOutput & { readonly kind: 'request' })['exchange'],
    request: CoapRequest,
    now: Instant
  ): void {
    const code = this.#heartbeats.answerTo(request, now)
    this.#coap.handle(
      { kind: 'respond', exchange, response: { code, options: [], payload: new Uint8Array(0) } },
      now
    )
    this.#drainCoap(now)
  }
}

/**
 * Requests for protection are repeated as often as RFC 9132 §4.4 allows. Questions back off, lest one that stays without
 * an answer takes every turn and no heartbeat gets its own.
 */
function untilRepetition({ errand, sendings }: OpenErrand): Duration {
  if (isMitigationRequest(errand)) return PACING_WITHOUT_RTT
  const backedOff = PACING_WITHOUT_RTT * 2 ** Math.min(sendings - 1, 10)
  return Milliseconds(Math.min(backedOff, LONGEST_BACK_OFF))
}
