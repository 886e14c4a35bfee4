import type { IncomingExchange } from '@breakwater/coap'
import { Code, OptionNumber, isSuccess, uintOption } from '@breakwater/coap'
import type { CoapResponse } from '@breakwater/coap'
import { Milliseconds, Seconds, after, between } from '@breakwater/core'
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

interface ObservationBase {
  readonly session: ServerSession
  readonly exchange: IncomingExchange
  /** Whether it is to be told something, at once or when its session's turn comes. */
  isPlanned: boolean
  hasGone: boolean
}

/** One client that wants to be told of one mitigation, or of all of its cuid (RFC 9132 §4.4.2.1). */
export interface MitigationObservation extends ObservationBase {
  readonly kind: 'mitigation'
  readonly client: ClientState
  readonly of: MitigationId | 'all'
  /** Part of what is observed: the query belongs to the resource's name (RFC 7641 §1.3). */
  readonly content: Content
  /** What ended since the last notification: told once, for nothing is left to look up. */
  ended: readonly Mitigation[]
  /** Until then it is told again and again: its client does not seem to hear us. */
  insistUntil: Instant | undefined
}

/** One client that wants to be told of the configuration of its session (RFC 9132 §4.5.3). */
export interface ConfigurationObservation extends ObservationBase {
  readonly kind: 'configuration'
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
  readonly composedAt: Instant
}

/** So long may what was told last go on: remaining lifetimes are in whole seconds. */
const TOLD_AGAIN_WITHIN: Duration = Milliseconds(100)

/** So many observers are told something in one go, some milliseconds' work: a heartbeat may be waiting. */
const OBSERVERS_PER_TURN = 256

const NEXT_TURN: Duration = Milliseconds(1)

/** Timer of all observers that need not wait. */
export const NOTIFY_ALL_TIMER = 'notify-all'

/**
 * Tells observers what changed: always the latest state, never faster than one notification of a session in three seconds
 * (RFC 9132 §4.4.2.1), always Non-confirmable.
 */
export class Observations {
  readonly #state: ServerState
  readonly #describe: Describe
  /** To be told at once, in order: one timer for all, as there may be very many. */
  #ready: Observation[] = []
  /** How many of `#ready` have had their turn. */
  #served = 0
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
      ended: NONE,
      insistUntil: undefined,
      isPlanned: false,
      hasGone: false
    }
    session.observations.set(exchange, observation)
    client.observations.add(observation)
    return true
  }

  /** Registers an observer of the session's configuration if the session may have one more. */
  addConfiguration(session: ServerSession, exchange: IncomingExchange, sid: number | undefined): boolean {
    if (!this.#hasRoom(session)) return false
    session.observations.set(exchange, {
      kind: 'configuration',
      session,
      exchange,
      sid,
      isPlanned: false,
      hasGone: false
    })
    return true
  }

  /** The observer has gone, by its own will or with its session. */
  remove(session: ServerSession, exchange: IncomingExchange): void {
    const observation = session.observations.get(exchange)
    if (observation === undefined) return
    session.observations.delete(exchange)
    observation.hasGone = true
    session.waiting?.delete(observation)
    if (observation.kind === 'configuration') return
    observation.client.observations.delete(observation)
    this.#state.clients.release(observation.client)
  }

  /** The state of a mitigation changed, or it is time to say it again. */
  changed(mitigation: Mitigation, now: Instant): void {
    // Most observers have heard the same, so they share one list of what has ended since.
    let [known, longer]: [readonly Mitigation[], readonly Mitigation[]] = [NONE, [mitigation]]
    for (const observation of mitigation.client.observations) {
      if (observation.of !== 'all' && observation.of !== mitigation.id) continue
      if (mitigation.state.kind === 'ended') {
        if (observation.ended !== known)
          [known, longer] = [observation.ended, withEnd(observation.ended, mitigation)]
        observation.ended = longer
      }
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
    const end = Math.min(this.#ready.length, this.#served + OBSERVERS_PER_TURN)
    while (this.#served < end) {
      const observation = this.#ready[this.#served++]
      if (observation === undefined || observation.hasGone) continue
      // Another of the same session may have had its turn.
      if (dueAt(observation.session) > now) this.#wait(observation)
      else this.#tell(observation, now)
    }
    if (this.#served < this.#ready.length) this.#state.timers.set(NOTIFY_ALL_TIMER, after(now, NEXT_TURN))
    else {
      this.#ready = []
      this.#served = 0
    }
  }

  /** The session has closed. */
  sessionClosed(session: ServerSession): void {
    this.#state.timers.cancel(notifyTimer(session.peer))
  }

  /** Timer `notify:<peer>`: tells one observer; the others of the session have their turn later. */
  notify(session: ServerSession, now: Instant): void {
    // Something else may have been told at once: the next must not come before its time.
    if (dueAt(session) <= now) {
      const [observation] = session.waiting ?? []
      if (observation === undefined) return
      session.waiting?.delete(observation)
      this.#tell(observation, now)
    }
    if (session.waiting !== undefined && session.waiting.size > 0)
      this.#state.timers.set(notifyTimer(session.peer), dueAt(session))
  }

  #tell(observation: Observation, now: Instant): void {
    const { session } = observation
    observation.isPlanned = false
    const message = this.#message(observation, now)
    if (message !== undefined) this.#send(observation, message, now)
    this.redirected(session, now)
    if (isOver(observation)) {
      // RFC 7641 §4.2: the resource is gone, so its entry goes; one that stayed would take another's place.
      session.forgetObserver(observation.exchange, now)
      this.remove(session, observation.exchange)
    } else if (message !== undefined && isInsisted(observation, now)) this.#plan(observation, now)
  }

  #hasRoom(session: ServerSession): boolean {
    return session.observations.size < this.#state.policy.limits.observationsPerSession
  }

  #plan(observation: Observation, now: Instant): void {
    if (observation.isPlanned) return
    observation.isPlanned = true
    const { session } = observation
    if (dueAt(session) > now || (session.waiting !== undefined && session.waiting.size > 0)) {
      this.#wait(observation)
      return
    }
    if (this.#ready.length === 0) this.#state.timers.set(NOTIFY_ALL_TIMER, now)
    this.#ready.push(observation)
  }

  /** Until the turn of its session comes. */
  #wait(observation: Observation): void {
    const { session } = observation
    session.waiting ??= new Set()
    session.waiting.add(observation)
    this.#state.timers.set(notifyTimer(session.peer), dueAt(session))
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
    const { ended } = observation
    observation.ended = NONE
    const { parameters } = session
    const last = this.#told
    if (
      last?.client === client &&
      last.of === of &&
      last.content === content &&
      last.parameters === parameters &&
      last.ended === ended &&
      between(last.composedAt, now) < TOLD_AGAIN_WITHIN
    )
      return last.response
    const response = this.#represent(observation, ended, now)
    this.#told = { client, of, content, parameters, ended, response, composedAt: now }
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
  if (observation.kind === 'configuration' || observation.hasGone) return false
  return observation.insistUntil !== undefined && observation.insistUntil > now
}

/** What ended is told once, and before anything else. */
function hasEnds(observation: Observation): boolean {
  return observation.kind === 'mitigation' && observation.ended.length > 0
}

/** When its next notification may leave (RFC 9132 §4.4.2.1). */
function dueAt(session: ServerSession): Instant {
  return after(session.notifiedAt, PACING_WITHOUT_RTT)
}

/** A mitigation that ends again is told as it ended last. */
function withEnd(ended: readonly Mitigation[], mitigation: Mitigation): readonly Mitigation[] {
  if (ended.length >= MOST_ENDED) return ended
  return [...ended.filter(({ id }) => id !== mitigation.id), mitigation]
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
