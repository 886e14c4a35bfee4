import { ConfigError, UnavailableError } from '@breakwater/core'
import type {
  CertificateCredentials,
  ClientCredentials,
  OpenSecureEndpoint,
  SecureEndpointHandlers,
  SecureEndpointLimits,
  SecureEndpointOptions,
  ServerCredentials
} from '@breakwater/core'
import type { NativeCredentials, NativeEndpointOptions, NativeEngineOptions, NativeProblem } from './addon.ts'
import { DtlsEndpoint } from './endpoint.ts'
import { toNative } from './native-address.ts'

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
const defaultPeers = 100_000
const defaultHandshaking = 10_000
/** A handshake needs two: enough for some hundred clients behind one address that come back together. */
const defaultHellosPerSource = 200
/** Answering this many takes a fraction of one core; established sessions have the rest. */
const defaultUnverifiedHellos = 10_000
/** RFC 4279 §5.3: what every implementation must take. */
const longestPskIdentityBytes = 128
const longestPskBytes = 64
/** RFC 9257 §6: at least 128 bits of entropy, so at least that many bits. */
const shortestPskBytes = 16

function invalid(path: string, message: string): ConfigError {
  return new ConfigError('DTLS_OPTIONS_INVALID', `${path}: ${message}`, [{ path, message }])
}

function integerOption(path: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw invalid(path, `${value} is not a whole number of ${least} to ${most}`)
}

function checkPsk(path: string, identity: string, key: Uint8Array): void {
  const length = Buffer.byteLength(identity)
  if (length === 0 || length > longestPskIdentityBytes || identity.includes('\0'))
    throw invalid(path, `an identity has 1 to ${longestPskIdentityBytes} bytes of UTF-8 and no NUL`)
  if (key.length < shortestPskBytes || key.length > longestPskBytes)
    throw invalid(
      path,
      `the key of "${identity}" has ${key.length} bytes, not ${shortestPskBytes} to ${longestPskBytes}`
    )
}

function toNativeCertificate(credentials: CertificateCredentials): NativeCredentials {
  const { certificate, privateKey, trustAnchors, crl } = credentials
  const texts = { certificate, privateKey, trustAnchors }
  if (crl === undefined) return { certificate: texts }
  const lists = typeof crl === 'string' ? crl : crl.join('\n')
  // No list at all is no way to say that nothing was revoked.
  if (lists.trim() === '') throw invalid('crl', 'no PEM certificate revocation list')
  return { certificate: { ...texts, crl: lists } }
}

function serverCredentials(options: ServerCredentials): NativeCredentials {
  const { certificate, preSharedKeys, rawPublicKey } = options
  if (rawPublicKey !== undefined) throw invalid('rawPublicKey', 'raw public keys are not known here yet')
  for (const [identity, key] of preSharedKeys ?? []) checkPsk('preSharedKeys', identity, key)
  return {
    ...(certificate === undefined ? {} : toNativeCertificate(certificate)),
    ...(preSharedKeys === undefined ? {} : { preSharedKeys: [...preSharedKeys] })
  }
}

function clientCredentials(credentials: ClientCredentials): NativeCredentials {
  if (credentials.kind === 'certificate') return toNativeCertificate(credentials)
  if (credentials.kind === 'raw-public-key')
    throw invalid('credentials', 'raw public keys are not known here yet')
  checkPsk('credentials', credentials.identity, credentials.key)
  return { pskIdentity: credentials.identity, pskKey: credentials.key }
}

function credentialsOf(options: SecureEndpointOptions): NativeCredentials {
  return options.role === 'server' ? serverCredentials(options) : clientCredentials(options.credentials)
}

function reloadedCredentials(
  role: SecureEndpointOptions['role'],
  credentials: ServerCredentials | ClientCredentials
): NativeCredentials {
  const ofClient = 'kind' in credentials
  if (ofClient !== (role === 'client')) throw invalid('credentials', `these are not those of a ${role}`)
  return ofClient ? clientCredentials(credentials) : serverCredentials(credentials)
}

function limitsOf(limits: SecureEndpointLimits) {
  const limit = (name: keyof SecureEndpointLimits, value: number): number =>
    integerOption(`limits.${name}`, limits[name] ?? value, 1, 0xffff_ffff)
  return {
    peersLimit: limit('peers', defaultPeers),
    handshakingLimit: limit('handshaking', defaultHandshaking),
    hellosPerSource: limit('hellosPerSecondPerSource', defaultHellosPerSource),
    unverifiedHellos: limit('unverifiedHellosPerSecond', defaultUnverifiedHellos)
  }
}

function refuseUnknown(options: SecureEndpointOptions): void {
  const unknown = ['handshakeRetransmission', 'ticketKeys', 'sessions', 'serviceName']
  for (const name of unknown) if (name in options) throw invalid(name, 'is not known here yet')
}

/** What the engine needs to know of `options`. Throws a ConfigError on values that cannot be. @internal */
export function toEngineOptions(
  options: SecureEndpointOptions,
  timing: HandshakeTiming = defaultTiming
): NativeEngineOptions {
  refuseUnknown(options)
  return {
    server: options.role === 'server',
    ...credentialsOf(options),
    mtuBytes: integerOption('mtu', options.mtu ?? defaultMtuBytes, smallestMtuBytes, largestMtuBytes),
    ...limitsOf(options.limits ?? {}),
    ...timing
  }
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
  const owner = role === 'server' ? 'certificate' : 'credentials'
  const path =
    problem.field === undefined || problem.field === 'credentials' ? owner : `${owner}.${problem.field}`
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
    toNative: (credentials) => reloadedCredentials(options.role, credentials)
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
