import type {
  DecimalParameter,
  IntegerParameter,
  SignalMessage,
  SessionParameters as SessionParameterNodes
} from '@breakwater/model'
import type { TransmissionParameters } from '@breakwater/coap'
import { ACCEPTABLE_SESSION_PARAMETERS } from './defaults.ts'
import type { SessionParameters } from './defaults.ts'

/** What one session goes by while a mitigation of its client's is active, and while none is (RFC 9132 §4.5). */
export interface SessionConfiguration {
  readonly mitigating: SessionParameters
  readonly idle: SessionParameters
}

/** The body of an answer to GET on `/config`: what is agreed, and what we would accept (RFC 9132 §4.5.1). */
export function sessionConfigurationBody({ mitigating, idle }: SessionConfiguration): SignalMessage {
  return { signalConfig: { mitigatingConfig: parameterNodes(mitigating), idleConfig: parameterNodes(idle) } }
}

const transmission = new WeakMap<SessionParameters, TransmissionParameters>()

/** How these parameters make CoAP behave (RFC 9132 §4.5.2; RFC 7252 §4.8 for the rest): one object for all sessions. */
export function transmissionParameters(parameters: SessionParameters): TransmissionParameters {
  const known = transmission.get(parameters)
  if (known !== undefined) return known
  const { ackTimeoutSeconds, ackRandomFactor, maxRetransmit } = parameters
  const made = { ackTimeoutSeconds, ackRandomFactor, maxRetransmit, nstart: 1, maxLatencySeconds: 100 }
  transmission.set(parameters, made)
  return made
}

function parameterNodes(current: SessionParameters): SessionParameterNodes {
  return {
    heartbeatInterval: integer('heartbeatIntervalSeconds', current),
    missingHbAllowed: integer('missingHeartbeatsAllowed', current),
    probingRate: integer('probingRateBytesPerSecond', current),
    maxRetransmit: integer('maxRetransmit', current),
    ackTimeout: decimal('ackTimeoutSeconds', current),
    ackRandomFactor: decimal('ackRandomFactor', current)
  }
}

function integer(name: keyof SessionParameters, current: SessionParameters): IntegerParameter {
  const { minimum, maximum } = ACCEPTABLE_SESSION_PARAMETERS[name]
  return { maxValue: maximum, minValue: minimum, currentValue: current[name] }
}

function decimal(name: keyof SessionParameters, current: SessionParameters): DecimalParameter {
  const { minimum, maximum } = ACCEPTABLE_SESSION_PARAMETERS[name]
  return { maxValueDecimal: maximum, minValueDecimal: minimum, currentValueDecimal: current[name] }
}
