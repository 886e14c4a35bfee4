import { Code } from '@breakwater/coap'
import type {
  DecimalParameter,
  IntegerParameter,
  SessionParameters as SessionParameterNodes,
  SignalMessage
} from '@breakwater/model'
import { ACCEPTABLE_SESSION_PARAMETERS } from './defaults.ts'
import type { SessionParameters } from './defaults.ts'
import { accepted, refused } from './problem.ts'
import type { Checked } from './problem.ts'
import type { SessionConfiguration } from './session-configuration.ts'

type Refusal = ReturnType<typeof refused>

/** One parameter as a request names it. */
interface Proposal {
  readonly parameter: keyof SessionParameters
  /** For diagnostics: `heartbeat-interval`. */
  readonly name: string
  readonly current: number | undefined
  /** A minimum or maximum stands beside it. */
  readonly limited: boolean
}

/**
 * Checks the body of a PUT on `/config` (RFC 9132 §4.5.2): 4.00 for what is no such body, 4.22 for values that are not
 * acceptable; the first problem, or what is asked for.
 * @param defaults In force for all that the request does not name, whatever was agreed before (RFC 9132 §4.5.2).
 */
export function checkSessionConfiguration(
  message: SignalMessage,
  defaults: SessionParameters
): Checked<SessionConfiguration> {
  const body = message.signalConfig
  if (body === undefined || Object.keys(message).length > 1)
    return bad('DOTS_SIGNAL_CONFIG_MISSING', 'the body is not one signal-config and nothing else')
  if (body.sid !== undefined)
    return bad(
      'DOTS_SIGNAL_ATTRIBUTE_NOT_IN_REQUEST',
      'sid has its place in the Uri-Path (signal-config.sid)'
    )
  const mitigating = proposals(body.mitigatingConfig)
  const idle = proposals(body.idleConfig)
  if (mitigating.length + idle.length === 0)
    return bad(
      'DOTS_SIGNAL_CONFIG_EMPTY',
      'neither mitigating-config nor idle-config names a parameter (signal-config)'
    )
  const problem =
    firstProblem(mitigating, 'mitigating-config', formProblem) ??
    firstProblem(idle, 'idle-config', formProblem) ??
    firstProblem(mitigating, 'mitigating-config', rangeProblem) ??
    firstProblem(idle, 'idle-config', rangeProblem)
  return problem ?? accepted({ mitigating: over(defaults, mitigating), idle: over(defaults, idle) })
}

function proposals(nodes: SessionParameterNodes = {}): Proposal[] {
  return [
    integer('heartbeatIntervalSeconds', 'heartbeat-interval', nodes.heartbeatInterval),
    integer('missingHeartbeatsAllowed', 'missing-hb-allowed', nodes.missingHbAllowed),
    integer('probingRateBytesPerSecond', 'probing-rate', nodes.probingRate),
    integer('maxRetransmit', 'max-retransmit', nodes.maxRetransmit),
    decimal('ackTimeoutSeconds', 'ack-timeout', nodes.ackTimeout),
    decimal('ackRandomFactor', 'ack-random-factor', nodes.ackRandomFactor)
  ].flat()
}

function integer(
  parameter: keyof SessionParameters,
  name: string,
  node: IntegerParameter | undefined
): Proposal[] {
  if (node === undefined) return []
  const { currentValue: current, minValue, maxValue } = node
  return [{ parameter, name, current, limited: minValue !== undefined || maxValue !== undefined }]
}

function decimal(
  parameter: keyof SessionParameters,
  name: string,
  node: DecimalParameter | undefined
): Proposal[] {
  if (node === undefined) return []
  const { currentValueDecimal: current, minValueDecimal, maxValueDecimal } = node
  return [
    { parameter, name, current, limited: minValueDecimal !== undefined || maxValueDecimal !== undefined }
  ]
}

function firstProblem(
  all: readonly Proposal[],
  set: string,
  check: (proposal: Proposal, where: string) => Refusal | undefined
): Refusal | undefined {
  for (const proposal of all) {
    const problem = check(proposal, `signal-config.${set}.${proposal.name}`)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** RFC 9132 §5.3: minimum and maximum are the server's to tell; what is named has a value. */
function formProblem({ name, current, limited }: Proposal, where: string): Refusal | undefined {
  if (limited)
    return bad(
      'DOTS_SIGNAL_ATTRIBUTE_NOT_IN_REQUEST',
      `minimum and maximum have no place in a request (${where})`
    )
  if (current !== undefined) return undefined
  return bad('DOTS_SIGNAL_CONFIG_VALUE_MISSING', `${name} has no current value (${where})`)
}

function rangeProblem({ parameter, name, current }: Proposal, where: string): Refusal | undefined {
  const { minimum, maximum } = ACCEPTABLE_SESSION_PARAMETERS[parameter]
  if (current === undefined || (current >= minimum && current <= maximum)) return undefined
  // RFC 9132 §4.5.1: 0 switches heartbeats off, which is no interval that could be too short.
  const off = parameter === 'heartbeatIntervalSeconds' ? '0 or ' : ''
  if (off !== '' && current === 0) return undefined
  return refused(
    'DOTS_SIGNAL_CONFIG_UNACCEPTABLE',
    Code.unprocessableEntity,
    `${name} ${current} is not ${off}${minimum} … ${maximum} (${where})`
  )
}

function over(defaults: SessionParameters, proposed: readonly Proposal[]): SessionParameters {
  const named = proposed.flatMap(({ parameter, current }) =>
    current === undefined ? [] : [[parameter, current]]
  )
  return { ...defaults, ...Object.fromEntries(named) }
}

function bad(code: string, diagnostic: string): Refusal {
  return refused(code, Code.badRequest, diagnostic)
}
