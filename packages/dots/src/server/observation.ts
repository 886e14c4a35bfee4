import type { IncomingExchange } from '@breakwater/coap'
import { Code, OptionNumber, isSuccess, uintOption } from '@breakwater/coap'
import type { CoapResponse } from '@breakwater/coap'
import { Milliseconds, Seconds, after } from '@breakwater/core'
import type { Duration, Instant, PeerId } from '@breakwater/core'
import type { MitigationScopeEntry } from '@breakwater/model'
import type { MitigationId } from '../domain/identifier.ts'
import { selectContent } from '../signal/content.ts'
import { MAXIMUM_BODY_BYTES } from '../signal/block-transfer.ts'
import type { Content } from '../signal/content.ts'
import { PACING_WITHOUT_RTT } from '../signal/defaults.ts'
import type { SessionParameters } from '../signal/defaults.ts'
import type { ClientState } from './client-state.ts'
import { observedMaxAge } from './freshness.ts'
import type { Mitigation } from './mitigation.ts'
import { configRepresentation } from './config-representation.ts'
import { redirectionOf, redirectionResponse } from './redirection.ts'
import { dotsResponse, tooLarge } from './response.ts'
import type { ServerSession } from './server-session.ts'
import type { ServerState } from './server-state.ts'

/** One client that wants to be told of one mitigation, or of all of its cuid (RFC 9132 §4.4.2.1). */
export interface MitigationObservation {
  readonly kind: 'mitigation'
  readonly session: ServerSession
  readonly exchange: IncomingExchange
  readonly client: ClientState
  readonly of: MitigationId | 'all'
  /** Part of what is observed: the query belongs to the resource's name (RFC 7641 §1.3). */
  readonly content: Content
  /** What ended since the last notification: told once, for nothing is left to look up. */
  readonly ended: Map<MitigationId, Mitigation>
  /** Until then it is told again and again: its client does not seem to hear us. */
  insistUntil: Instant | undefined
}

/** One client that wants to be told of the configuration of its session (RFC 9132 §4.5.3). */
export interface ConfigurationObservation {
  readonly kind: 'configuration'
  readonly session: ServerSession
  readonly exchange: IncomingExchange
  /** Undefined: of whatever is in force. */
  readonly sid: number | undefined
}

export type Observation = MitigationObservation | ConfigurationObservation

/**
 * So many that ended are remembered until an observer's turn comes: more than a notification can tell, so that the
 * observation ends with it anyway, and a client that asks and withdraws without end cannot make us remember it all.
 */
const MOST_ENDED = 64

/** Three requests in a row would have to be lost to end the insistence while its client still asks. */
const INSISTENCE: Duration = Seconds(10)

const NONE: readonly Mitigation[] = []

type Describe = (mitigation: Mitigation, now: Instant) => MitigationScopeEntry

/** What an observer was told, and all that it depends on: the next one may be told the very same. */
interface Told {
  readonly client: ClientState
  readonly of: MitigationObservation['of']
  readonly content: Content
  readonly parameters: SessionParameters
  readonly ended: readonly Mitigation[]
  readonly response: CoapResponse | undefined
}

/** So many sessions are told something in one go, some milliseconds' work: a heartbeat may be waiting. */
const SESSIONS_PER_TURN = 256

const NEXT_TURN: Duration = Milliseconds(1)

/** Timer of all sessions that need not wait. */
export const NOTIFY_ALL_TIMER = 'notify-all'

/**
 * Tells observers what changed: always the latest state, never faster than one notification of a session in three seconds
 * (RFC 9132 §4.4.2.1), always Non-confirmable.
 */
export class Observations {
  readonly #state: ServerState
  readonly #describe: Describe
  /** Sessions that may be told something at once: one timer for all, as there may be very many. */
  readonly #ready = new Set<ServerSession>()
  /** Until anything happens but the telling itself. */
  #told: Told | undefined

  constructor(state: ServerState, describe: Describe) {
    this.#state = state
    this.#describe = describe
  }

  /** Registers an observer if its session may have one more. */
  add(
    session: ServerSession,
    exchange: IncomingExchange,
    client: ClientState,
    of: MitigationObservation['of'],
    content: Content
  ): boolean {
    if (!this.#hasRoom(session)) return false
    const observation: MitigationObservation = {
      kind: 'mitigation',
      session,
      exchange,
      client,
      of,
      content,
      ended: new Map(),
      insistUntil: undefined
    }
    session.observations.set(exchange, observation)
    client.observations.add(observation)
    return true
  }

  /** Registers an observer of the session's configuration if the session may have one more. */
  addConfiguration(session: ServerSession, exchange: IncomingExchange, sid: number | undefined): boolean {
    if (!this.#hasRoom(session)) return false
    session.observations.set(exchange, { kind: 'configuration', session, exchange, sid })
    return true
  }

  /** The observer has gone, by its own will or with its session. */
  remove(session: ServerSession, exchange: IncomingExchange): void {
    const observation = session.observations.get(exchange)
    if (observation === undefined) return
    session.observations.delete(exchange)
    session.changed.delete(observation)
    if (observation.kind === 'configuration') return
    observation.client.observations.delete(observation)
    this.#state.clients.release(observation.client)
  }

  /** The state of a mitigation changed, or it is time to say it again. */
  changed(mitigation: Mitigation, now: Instant): void {
    for (const observation of mitigation.client.observations) {
      if (observation.of !== 'all' && observation.of !== mitigation.id) continue
      if (mitigation.state.kind === 'ended' && observation.ended.size < MOST_ENDED)
        observation.ended.set(mitigation.id, mitigation)
      this.#plan(observation, now)
    }
  }

  /**
   * The client asked again for what it has, so the link to it may be full: observers are told every 3 seconds for a while
   * (RFC 9132 §4.4.2.1: periodically, due to the higher likelihood of packet loss during an attack).
   */
  insist(mitigation: Mitigation, now: Instant): void {
    for (const observation of mitigation.client.observations) {
      if (observation.of !== 'all' && observation.of !== mitigation.id) continue
      observation.insistUntil = after(now, INSISTENCE)
      this.#plan(observation, now)
    }
  }

  /** The configuration of a session changed (RFC 9132 §4.5.3). */
  configurationChanged(session: ServerSession, now: Instant): void {
    for (const observation of session.observations.values())
      if (observation.kind === 'configuration') this.#plan(observation, now)
  }

  /** Its client is sent to another server: every observation of the session ends with that (RFC 9132 §4.6). */
  redirected(session: ServerSession, now: Instant): void {
    if (redirectionOf(this.#state, session.principal) === undefined) return
    for (const observation of session.observations.values()) this.#plan(observation, now)
  }

  /** Something is going to happen: what was told last may not be true any more. */
  forgetTold(): void {
    this.#told = undefined
  }

  /** Timer `notify-all`: some of them, and then whoever else wants something of the server has a turn. */
  notifyReady(now: Instant): void {
    let left = SESSIONS_PER_TURN
    for (const session of this.#ready) {
      if (left-- === 0) break
      this.notify(session, now)
    }
    if (this.#ready.size > 0) this.#state.timers.set(NOTIFY_ALL_TIMER, after(now, NEXT_TURN))
  }

  /** The session has closed. */
  sessionClosed(session: ServerSession): void {
    this.#ready.delete(session)
    this.#state.timers.cancel(notifyTimer(session.peer))
  }

  /** Timer `notify:<peer>`: tells one observer; the others of the session have their turn later. */
  notify(session: ServerSession, now: Instant): void {
    // Whichever of its two timers comes first: the other must not tell it more before its time.
    this.#ready.delete(session)
    const [observation] = session.changed
    if (observation === undefined) return
    session.changed.delete(observation)
    const message = this.#message(observation, now)
    if (message !== undefined) this.#send(observation, message, now)
    this.redirected(session, now)
    if (isOver(observation)) {
      // RFC 7641 §4.2: the resource is gone, so its entry goes; one that stayed would take another's place.
      session.forgetObserver(observation.exchange, now)
      this.remove(session, observation.exchange)
    } else if (isInsisted(observation, now)) session.changed.add(observation)
    if (session.changed.size > 0)
      this.#state.timers.set(notifyTimer(session.peer), after(session.notifiedAt, PACING_WITHOUT_RTT))
  }

  #hasRoom(session: ServerSession): boolean {
    return session.observations.size < this.#state.policy.limits.observationsPerSession
  }

  #plan(observation: Observation, now: Instant): void {
    const { session } = observation
    session.changed.add(observation)
    const dueAt = after(session.notifiedAt, PACING_WITHOUT_RTT)
    if (dueAt > now) {
      this.#state.timers.set(notifyTimer(session.peer), dueAt)
      return
    }
    if (this.#ready.size === 0) this.#state.timers.set(NOTIFY_ALL_TIMER, now)
    this.#ready.add(session)
  }

  #send({ session, exchange }: Observation, message: CoapResponse, now: Instant): void {
    session.notifiedAt = now
    session.notify(exchange, message, now)
    this.#state.counters.count('dots_server_notifications_total')
    // RFC 7641 §4.2: an observation ends with a notification that is not 2.xx.
    if (!isSuccess(message.code)) this.remove(session, exchange)
  }

  #message(observation: Observation, now: Instant): CoapResponse | undefined {
    const redirection = redirectionOf(this.#state, observation.session.principal)
    if (redirection !== undefined && !hasEnds(observation)) return redirectionResponse(redirection)
    if (observation.kind === 'mitigation') return this.#mitigationMessage(observation, now)
    const { session, sid } = observation
    return configRepresentation(session, sid, this.#state.policy.configurationMaxAgeSeconds, [OBSERVE])
      .response
  }

  #mitigationMessage(observation: MitigationObservation, now: Instant): CoapResponse | undefined {
    const { session, client, of, content } = observation
    const ended = observation.ended.size === 0 ? NONE : [...observation.ended.values()]
    observation.ended.clear()
    const { parameters } = session
    const last = this.#told
    if (
      last?.client === client &&
      last.of === of &&
      last.content === content &&
      last.parameters === parameters &&
      last.ended.length === ended.length &&
      last.ended.every((each, index) => each === ended[index])
    )
      return last.response
    const response = this.#represent(observation, ended, now)
    this.#told = { client, of, content, parameters, ended, response }
    return response
  }

  #represent(
    { session, client, of, content }: MitigationObservation,
    ended: readonly Mitigation[],
    now: Instant
  ): CoapResponse | undefined {
    const current = of === 'all' ? [...client.mitigations.values()] : (client.mitigations.get(of) ?? [])
    // A mitigation that was asked for anew is told as it is now, not as it ended.
    const over = ended.filter(({ id }) => !client.mitigations.has(id))
    const scope = [current, over]
      .flat()
      .map((mitigation) => selectContent(this.#describe(mitigation, now), content))
    if (scope.length === 0) return undefined
    const about = [OBSERVE, observedMaxAge(session.parameters)]
    const response = dotsResponse(Code.content, { mitigationScope: { scope } }, about)
    const { length } = response.payload
    return length > MAXIMUM_BODY_BYTES ? tooLarge(scope.length, length).response : response
  }
}

function isInsisted(observation: Observation, now: Instant): boolean {
  if (observation.kind === 'configuration' || !observation.session.observations.has(observation.exchange))
    return false
  return observation.insistUntil !== undefined && observation.insistUntil > now
}

/** What ended is told once, and before anything else. */
function hasEnds(observation: Observation): boolean {
  return observation.kind === 'mitigation' && observation.ended.size > 0
}

/** Whether there is nothing left that it could be told of. */
function isOver(observation: Observation): boolean {
  if (observation.kind === 'configuration') return false
  const { client, of } = observation
  return of !== 'all' && !client.mitigations.has(of)
}

/** A placeholder: the CoAP session sets the sequence number (RFC 7641 §4.4). */
export const OBSERVE: ReturnType<typeof uintOption> = uintOption(OptionNumber.observe, 0)

export function notifyTimer(peer: PeerId): string {
  return `notify:${peer}`
}
