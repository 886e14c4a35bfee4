import { BreakwaterError } from '@breakwater/core'
import type { Transport } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'
import type {
  DecimalParameter,
  IntegerParameter,
  SessionParameters as SessionParameterNodes,
  SignalMessage
} from '@breakwater/model'
import { bearable } from './bearable-parameters.ts'
import { SESSION_PARAMETER_NAMES } from './defaults.ts'
import type { SessionParameters } from './defaults.ts'
import type { SessionConfiguration } from './session-configuration.ts'

/** What a server says of one parameter (RFC 9132 §4.5.1): undefined where it says nothing. */
export interface OfferedParameter {
  readonly current: number | undefined
  readonly minimum: number | undefined
  readonly maximum: number | undefined
}

export type OfferedParameters = Readonly<Record<keyof SessionParameters, OfferedParameter>>

/** The body of an answer to GET on `/config`, as the client reads it. */
export interface SessionOffer {
  readonly mitigating: OfferedParameters
  readonly idle: OfferedParameters
}

/** RFC 9132 §4.5: over a reliable transport, nothing of loss and retransmission is negotiated. */
const NAMES_ON_STREAMS: readonly (keyof SessionParameters)[] = ['heartbeatIntervalSeconds']

export function negotiableOver(transport: Transport): readonly (keyof SessionParameters)[] {
  return transport === 'udp' ? SESSION_PARAMETER_NAMES : NAMES_ON_STREAMS
}

/** Reads an offer; undefined when the body is none. */
export function readSessionOffer(payload: Uint8Array): SessionOffer | undefined {
  try {
    const body = decodeSignal(payload).signalConfig
    if (body === undefined) return undefined
    return { mitigating: offered(body.mitigatingConfig), idle: offered(body.idleConfig) }
  } catch (error) {
    if (error instanceof BreakwaterError) return undefined
    throw error
  }
}

/** What the server says is in force; what it does not name has its default (RFC 9132 §4.5.2). */
export function currentOf(offer: SessionOffer, defaults: SessionParameters): SessionConfiguration {
  const current = (set: OfferedParameters): SessionParameters =>
    withEach(defaults, (name) => set[name].current ?? defaults[name])
  return { mitigating: current(offer.mitigating), idle: current(offer.idle) }
}

/** What is wanted, as far as the server finds it acceptable, and no further than RFC 7252 §4.8.1 allows. */
export function withinOffer(wanted: SessionConfiguration, offer: SessionOffer): SessionConfiguration {
  return {
    mitigating: bearable(clamped(wanted.mitigating, offer.mitigating)),
    idle: bearable(clamped(wanted.idle, offer.idle))
  }
}

/** The body of a PUT on `/config` (RFC 9132 §4.5.2, Figure 22): current values only; limits are the server's to tell. */
export function sessionProposalBody(
  { mitigating, idle }: SessionConfiguration,
  names: readonly (keyof SessionParameters)[]
): SignalMessage {
  return {
    signalConfig: {
      mitigatingConfig: proposedNodes(mitigating, names),
      idleConfig: proposedNodes(idle, names)
    }
  }
}

/** A heartbeat's CoAP message with the longest token. */
const HEARTBEAT_BYTES = 52

/** DTLS record, explicit nonce and tag (RFC 9132 §7.3). */
const ENCRYPTION_BYTES = 37

/** RFC 9132 §4.5.2: a heartbeat must not be slowed down by probing-rate, so twice its size in an interval is allowed. */
export function leastProbingRate(heartbeatIntervalSeconds: number): number {
  if (heartbeatIntervalSeconds === 0) return 0
  return Math.ceil((2 * (HEARTBEAT_BYTES + ENCRYPTION_BYTES)) / heartbeatIntervalSeconds)
}

function offered(nodes: SessionParameterNodes = {}): OfferedParameters {
  return {
    heartbeatIntervalSeconds: integer(nodes.heartbeatInterval),
    missingHeartbeatsAllowed: integer(nodes.missingHbAllowed),
    probingRateBytesPerSecond: integer(nodes.probingRate),
    maxRetransmit: integer(nodes.maxRetransmit),
    ackTimeoutSeconds: decimal(nodes.ackTimeout),
    ackRandomFactor: decimal(nodes.ackRandomFactor)
  }
}

function integer({ currentValue, minValue, maxValue }: IntegerParameter = {}): OfferedParameter {
  return { current: currentValue, minimum: minValue, maximum: maxValue }
}

function decimal({
  currentValueDecimal,
  minValueDecimal,
  maxValueDecimal
}: DecimalParameter = {}): OfferedParameter {
  return { current: currentValueDecimal, minimum: minValueDecimal, maximum: maxValueDecimal }
}

function clamp(name: keyof SessionParameters, value: number, { minimum, maximum }: OfferedParameter): number {
  // RFC 9132 §4.5.1: 0 switches heartbeats off, which is no interval that could be too short.
  if (name === 'heartbeatIntervalSeconds' && value === 0) return 0
  return Math.max(minimum ?? -Infinity, Math.min(maximum ?? Infinity, value))
}

function clamped(values: SessionParameters, set: OfferedParameters): SessionParameters {
  return withEach(values, (name) => clamp(name, values[name], set[name]))
}

function withEach(
  values: SessionParameters,
  value: (name: keyof SessionParameters) => number
): SessionParameters {
  return { ...values, ...Object.fromEntries(SESSION_PARAMETER_NAMES.map((name) => [name, value(name)])) }
}

function proposedNodes(
  values: SessionParameters,
  names: readonly (keyof SessionParameters)[]
): SessionParameterNodes {
  const all: SessionParameterNodes = {
    heartbeatInterval: { currentValue: values.heartbeatIntervalSeconds },
    missingHbAllowed: { currentValue: values.missingHeartbeatsAllowed },
    probingRate: { currentValue: values.probingRateBytesPerSecond },
    maxRetransmit: { currentValue: values.maxRetransmit },
    ackTimeout: { currentValueDecimal: values.ackTimeoutSeconds },
    ackRandomFactor: { currentValueDecimal: values.ackRandomFactor }
  }
  return names === SESSION_PARAMETER_NAMES ? all : { heartbeatInterval: all.heartbeatInterval ?? {} }
}
