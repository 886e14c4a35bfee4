import { ConfigError, DEFAULT_ENDPOINT_LIMITS, TICKET_KEY_BYTES, UnavailableError } from '@breakwater/core'
import type {
  Duration,
  OpenSecureEndpoint,
  SecureEndpointHandlers,
  SecureEndpointLimits,
  SecureEndpointOptions
} from '@breakwater/core'
import type { NativeEndpointOptions, NativeEngineOptions, NativeProblem } from './addon.ts'
import { DtlsEndpoint } from './endpoint.ts'
import { toNative } from './native-address.ts'
import { credentialsOf, invalid, reloadedCredentials } from './native-credentials.ts'
import { sessionToNative } from './native-session.ts'

/** Timers of the handshake, in milliseconds; only tests have a reason to change them. */
export interface HandshakeTiming {
  /** RFC 6347 §4.2.4.1: 1 s, doubled with each retransmission up to 60 s. */
  readonly firstTimeoutMs: number
  /** A handshake that takes longer has failed. */
  readonly giveUpMs: number
}

const defaultTiming: HandshakeTiming = { firstTimeoutMs: 1000, giveUpMs: 60_000 }

// RFC 9132 §7.3: when the path MTU is not known, 1280 bytes.
const defaultMtuBytes = 1280
/** Room for the headers and a handshake message that still makes sense in fragments (RFC 1122 §3.3.3: 576 always fits). */
const smallestMtuBytes = 256
const largestMtuBytes = 16_384
/** RFC 9147 §5.8.2 names this for real-time use; RFC 6347 §4.2.4.1 would have 1 s. */
const soonestRetransmissionMs = 400
/** A few old keys beside the one that seals. */
const mostTicketKeys = 16
/** RFC 6335 §5.1. */
const serviceNameSyntax = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/i

function integerOption(path: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw invalid(path, `${value} is not a whole number of ${least} to ${most}`)
}

function limitsOf(limits: SecureEndpointLimits) {
  const limit = (name: keyof SecureEndpointLimits): number =>
    integerOption(`limits.${name}`, limits[name] ?? DEFAULT_ENDPOINT_LIMITS[name], 1, 0xffff_ffff)
  return {
    peersLimit: limit('peers'),
    handshakingLimit: limit('handshaking'),
    hellosPerSource: limit('hellosPerSecondPerSource'),
    unverifiedHellos: limit('unverifiedHellosPerSecond')
  }
}

/** What an earlier endpoint has left to this one. */
function resumptionOf(options: SecureEndpointOptions): Pick<NativeEngineOptions, 'ticketKeys' | 'sessions'> {
  if (options.role === 'client') return { sessions: (options.sessions ?? []).map(sessionToNative) }
  return options.ticketKeys === undefined ? {} : { ticketKeys: checkedTicketKeys(options.ticketKeys) }
}

/** @internal */
export function checkedTicketKeys(keys: readonly Uint8Array[]): readonly Uint8Array[] {
  if (keys.length === 0 || keys.length > mostTicketKeys)
    throw invalid('ticketKeys', `${keys.length} keys are not 1 to ${mostTicketKeys}`)
  const wrong = keys.find((key) => key.length !== TICKET_KEY_BYTES)
  if (wrong !== undefined)
    throw invalid('ticketKeys', `a key of ${wrong.length} bytes has not ${TICKET_KEY_BYTES}`)
  return keys
}

/** The first timeout of a handshake, checked. @internal */
export function firstTimeoutOf(retransmission: Duration): number {
  return integerOption('handshakeRetransmission', retransmission, soonestRetransmissionMs, 60_000)
}

function serviceOf(options: SecureEndpointOptions): { serviceName?: string } {
  if (options.role === 'server' || options.serviceName === undefined) return {}
  const { serviceName } = options
  if (!serviceNameSyntax.test(serviceName))
    throw invalid('serviceName', `${JSON.stringify(serviceName)} is no service name (RFC 6335 §5.1)`)
  return { serviceName }
}

/** What the engine needs to know of `options`. Throws a ConfigError on values that cannot be. @internal */
export function toEngineOptions(
  options: SecureEndpointOptions,
  timing: HandshakeTiming = defaultTiming
): NativeEngineOptions {
  const { handshakeRetransmission } = options
  return {
    server: options.role === 'server',
    ...credentialsOf(options),
    mtuBytes: integerOption('mtu', options.mtu ?? defaultMtuBytes, smallestMtuBytes, largestMtuBytes),
    ...limitsOf(options.limits ?? {}),
    ...serviceOf(options),
    constrainedPeers: options.constrainedPeers ?? false,
    recordOffload: options.recordOffload ?? true,
    ...resumptionOf(options),
    ...timing,
    ...(handshakeRetransmission === undefined
      ? {}
      : { firstTimeoutMs: firstTimeoutOf(handshakeRetransmission) })
  }
}

/** Where the option stands that C++ names in its own words. */
function pathOf(role: SecureEndpointOptions['role'], field: string | undefined): string {
  if (role === 'server' && field?.startsWith('rawPublicKey') === true) return field
  const owner = role === 'server' ? 'certificate' : 'credentials'
  const rest = field?.replace(/^rawPublicKey\.?/, '') ?? ''
  return rest === '' || rest === 'credentials' ? owner : `${owner}.${rest}`
}

/** @internal */
export function refusal(
  role: SecureEndpointOptions['role'],
  problem: NativeProblem
): ConfigError | UnavailableError {
  if (problem.problem === 'bind') {
    const code = problem.field === undefined ? '' : `${problem.field}: `
    // A port in use or an address that is not there yet may be free, or there, later.
    return new UnavailableError('DTLS_BIND_FAILED', `cannot bind: ${code}${problem.message}`, true)
  }
  if (problem.problem === 'random')
    return new UnavailableError('DTLS_RANDOM_UNAVAILABLE', problem.message, true)
  const path = pathOf(role, problem.field)
  const code = problem.problem === 'crl-expired' ? 'DTLS_CRL_EXPIRED' : 'DTLS_CREDENTIALS_INVALID'
  return new ConfigError(code, `${path}: ${problem.message}`, [{ path, message: problem.message }])
}

/** `openDtlsEndpoint` with handshake timers of one's own. @internal */
export function openWithTiming(
  options: SecureEndpointOptions,
  handlers: SecureEndpointHandlers,
  timing: HandshakeTiming
): DtlsEndpoint {
  const native: NativeEndpointOptions = {
    ...toEngineOptions(options, timing),
    local: toNative(options.local),
    ...(options.interface === undefined ? {} : { interface: options.interface })
  }
  return DtlsEndpoint.open(native, handlers, {
    refused: (problem) => refusal(options.role, problem),
    credentials: (credentials) => reloadedCredentials(options.role, credentials),
    ticketKeys: checkedTicketKeys,
    firstTimeout: firstTimeoutOf
  })
}

/**
 * Opens a DTLS 1.2 endpoint on a UDP socket of its own.
 *
 * A server takes clients by certificate (each must show one of the same trust anchors) and by pre-shared key, behind a
 * stateless cookie exchange. A client checks the chain of the server and its DNS-ID. An endpoint on the wildcard address
 * answers from the address that was asked. IPv6 endpoints take IPv6 only.
 *
 * @throws {ConfigError} (as rejection) `DTLS_OPTIONS_INVALID`, `DTLS_CREDENTIALS_INVALID`, `DTLS_CRL_EXPIRED`
 * @throws {UnavailableError} (as rejection) `DTLS_BIND_FAILED`, `DTLS_RANDOM_UNAVAILABLE`
 */
export const openDtlsEndpoint: OpenSecureEndpoint = async (options, handlers) =>
  openWithTiming(options, handlers, defaultTiming)
