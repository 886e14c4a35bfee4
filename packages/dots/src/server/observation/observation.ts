import type { IncomingExchange } from '@breakwater/coap'
import { Code, OptionNumber, isSuccess, uintOption } from '@breakwater/coap'
import type { CoapResponse, ObserverHandle } from '@breakwater/coap'
import { Milliseconds, Seconds, after, between } from '@breakwater/core'
import type { Counter, Duration, Instant, OutgoingBatch } from '@breakwater/core'
import type { MitigationScopeEntry } from '@breakwater/model'
import type { MitigationId } from '../../domain/identifier.ts'
import { selectContent } from '../../signal/content.ts'
import { MAXIMUM_BODY_BYTES } from '../../signal/block-transfer.ts'
import type { Content } from '../../signal/content.ts'
import type { SessionParameters } from '../../signal/defaults.ts'
import type { ClientState } from '../client-state.ts'
import { observedMaxAge } from '../requests/freshness.ts'
import type { Mitigation } from '../mitigations/mitigation.ts'
import { configRepresentation } from '../sessions/config-representation.ts'
import { NotificationQueue } from './notification-queue.ts'
import { redirectionOf, redirectionResponse } from '../redirection.ts'
import { dotsResponse, tooLarge } from '../requests/response.ts'
import type { ServerSession } from '../sessions/server-session.ts'
import type { ServerState } from '../server-state.ts'

interface ObservationBase {
  readonly session: ServerSession
  readonly exchange: IncomingExchange
  /** Whether it is to be told something, at once or when its session's turn comes. */
  isPlanned: boolean
  hasGone: boolean
  /** Of its CoAP, once it was told something. */
  observer: ObserverHandle | undefined
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

/** One that is established, one that stands by, and a rival of each. */
const MOST_SESSIONS_OF_ONE_AGENT = 4

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

/**
 * Tells observers what changed: always the latest state, never faster than one notification of a client in three seconds
 * (RFC 9132 §4.4.2.1), always Non-confirmable.
 */
export class Observations {
  readonly #state: ServerState
  readonly #describe: Describe
  readonly #queue: NotificationQueue
  readonly #notifications: Counter
  /** Until anything happens but the telling itself. */
  #told: Told | undefined

  constructor(state: ServerState, describe: Describe) {
    this.#state = state
    this.#describe = describe
    this.#notifications = state.counters.counter('dots_server_notifications_total')
    this.#queue = new NotificationQueue(state, (observation, batch, now) =>
      this.#tell(observation, batch, now)
    )
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
      hasGone: false,
      observer: undefined
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
      hasGone: false,
      observer: undefined
    })
    return true
  }

  /** The observer has gone, by its own will or with its session. */
  remove(session: ServerSession, exchange: IncomingExchange): void {
    const observation = session.observations.get(exchange)
    if (observation === undefined) return
    session.observations.delete(exchange)
    this.#queue.remove(observation)
    if (observation.kind === 'configuration') return
    observation.client.observations.delete(observation)
    this.#state.clients.release(observation.client)
  }

  /** The state of a mitigation changed, or it is time to say it again. */
  changed(mitigation: Mitigation, now: Instant): void {
    // Most observers have heard the same, so they share one list of what has ended since.
    let [known, longer]: [readonly Mitigation[], readonly Mitigation[]] = [NONE, [mitigation]]
    const hasEnded = mitigation.state.kind === 'ended'
    for (const observation of mitigation.client.observations) {
      if (observation.of !== 'all' && observation.of !== mitigation.id) continue
      if (hasEnded) {
        if (observation.ended !== known)
          [known, longer] = [observation.ended, withEnd(observation.ended, mitigation)]
        observation.ended = longer
      }
      this.#queue.add(observation, now)
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
      this.#queue.add(observation, now)
    }
  }

  /** The configuration of a session changed (RFC 9132 §4.5.3). */
  configurationChanged(session: ServerSession, now: Instant): void {
    for (const observation of session.observations.values())
      if (observation.kind === 'configuration') this.#queue.add(observation, now)
  }

  /** Its client is sent to another server: every observation of the session ends with that (RFC 9132 §4.6). */
  redirected(session: ServerSession, now: Instant): void {
    if (redirectionOf(this.#state, session.principal) === undefined) return
    for (const observation of session.observations.values()) this.#queue.add(observation, now)
  }

  /** Something is going to happen: what was told last may not be true any more. */
  forgetTold(): void {
    this.#told = undefined
  }

  /** Timer `notify-all`. */
  notifyReady(now: Instant): void {
    this.#queue.handleReady(now)
  }

  /** Timer `notify:<peer>`. */
  notify(session: ServerSession, now: Instant): void {
    this.#queue.handleSession(session, now)
  }

  /** The session has closed. */
  sessionClosed(session: ServerSession): void {
    this.#queue.sessionClosed(session)
  }

  #tell(observation: Observation, batch: OutgoingBatch, now: Instant): void {
    const { session } = observation
    const message = this.#message(observation, now)
    if (message !== undefined) this.#send(observation, message, batch, now)
    this.redirected(session, now)
    if (isOver(observation)) {
      // RFC 7641 §4.2: the resource is gone, so its entry goes; one that stayed would take another's place.
      session.forgetObserver(observation.exchange, now)
      this.remove(session, observation.exchange)
    } else if (message !== undefined && isInsisted(observation, now)) this.#queue.add(observation, now)
  }

  #hasRoom(session: ServerSession): boolean {
    return session.observations.size < this.#state.policy.limits.observationsPerSession
  }

  #send(observation: Observation, message: CoapResponse, batch: OutgoingBatch, now: Instant): void {
    const { session, exchange } = observation
    session.notifiedAt = now
    this.#takeTurnOfOthers(session, now)
    observation.observer ??= session.observer(exchange)
    if (observation.observer?.notify(message, session.peer, batch, now) !== true)
      session.notify(exchange, message, now)
    this.#notifications.add()
    // RFC 7641 §4.2: an observation ends with a notification that is not 2.xx.
    if (!isSuccess(message.code)) this.remove(session, exchange)
  }

  /** RFC 9132 §4.4.2.1 counts what is sent to a client, over however many sessions it observes. */
  #takeTurnOfOthers({ ofOwner }: ServerSession, now: Instant): void {
    // More are those of many agents.
    if (ofOwner === undefined || ofOwner.size < 2 || ofOwner.size > MOST_SESSIONS_OF_ONE_AGENT) return
    for (const session of ofOwner) session.notifiedAt = now
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
