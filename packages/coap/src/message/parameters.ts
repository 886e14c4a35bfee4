import { type Duration, InternalError, Seconds } from '@breakwater/core'
import type { TransmissionParameters } from '../session.ts'

/** RFC 7252 §4.8. */
export const defaultParameters: TransmissionParameters = {
  ackTimeoutSeconds: 2,
  ackRandomFactor: 1.5,
  maxRetransmit: 4,
  nstart: 1,
  maxLatencySeconds: 100
}

/** What follows from a set of transmission parameters (RFC 7252 §4.8.2). */
export interface DerivedTimes {
  readonly ackTimeout: Duration
  /** From the first transmission of a Confirmable message to its last retransmission, at most. */
  readonly maxTransmitSpan: Duration
  /** From the first transmission of a Confirmable message to giving up, at most. */
  readonly maxTransmitWait: Duration
  readonly processingDelay: Duration
  readonly maxRtt: Duration
  /** How long a Message ID of a Confirmable message stays taken. */
  readonly exchangeLifetime: Duration
  /** How long a Message ID of a Non-confirmable message stays taken. */
  readonly nonLifetime: Duration
}

/** Sessions that go by the same parameters have the same times, and a server has very many of them. */
const derived = new WeakMap<TransmissionParameters, DerivedTimes>()

/**
 * The derived times of a session.
 * @throws InternalError `COAP_PARAMETERS_INVALID` on values that no session can run with.
 */
export function deriveTimes(parameters: TransmissionParameters): DerivedTimes {
  let times = derived.get(parameters)
  if (times === undefined) derived.set(parameters, (times = timesOf(parameters)))
  return times
}

function timesOf(parameters: TransmissionParameters): DerivedTimes {
  checkParameters(parameters)
  const { ackTimeoutSeconds, ackRandomFactor, maxRetransmit, maxLatencySeconds } = parameters
  const span = ackTimeoutSeconds * (2 ** maxRetransmit - 1) * ackRandomFactor
  // RFC 7252 §4.8.2: "A reasonable value" for PROCESSING_DELAY is ACK_TIMEOUT.
  const processing = ackTimeoutSeconds
  return {
    ackTimeout: Seconds(ackTimeoutSeconds),
    maxTransmitSpan: Seconds(span),
    maxTransmitWait: Seconds(ackTimeoutSeconds * (2 ** (maxRetransmit + 1) - 1) * ackRandomFactor),
    processingDelay: Seconds(processing),
    maxRtt: Seconds(2 * maxLatencySeconds + processing),
    exchangeLifetime: Seconds(span + 2 * maxLatencySeconds + processing),
    nonLifetime: Seconds(span + maxLatencySeconds)
  }
}

function checkParameters(parameters: TransmissionParameters): void {
  const { ackTimeoutSeconds, ackRandomFactor, maxRetransmit, nstart, maxLatencySeconds } = parameters
  demand(ackTimeoutSeconds > 0 && Number.isFinite(ackTimeoutSeconds), 'ackTimeoutSeconds', ackTimeoutSeconds)
  // RFC 7252 §4.8.1: never below 1.0.
  demand(ackRandomFactor >= 1 && Number.isFinite(ackRandomFactor), 'ackRandomFactor', ackRandomFactor)
  demand(
    Number.isInteger(maxRetransmit) && maxRetransmit >= 0 && maxRetransmit <= 32,
    'maxRetransmit',
    maxRetransmit
  )
  demand(Number.isInteger(nstart) && nstart >= 1, 'nstart', nstart)
  demand(maxLatencySeconds >= 0 && Number.isFinite(maxLatencySeconds), 'maxLatencySeconds', maxLatencySeconds)
}

function demand(holds: boolean, name: string, value: number): void {
  if (!holds) throw new InternalError('COAP_PARAMETERS_INVALID', `${name} ${value}`)
}
