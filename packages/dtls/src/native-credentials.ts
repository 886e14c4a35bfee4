import { ConfigError } from '@breakwater/core'
import type {
  CertificateCredentials,
  ClientCredentials,
  RawPublicKeyCredentials,
  SecureEndpointOptions,
  ServerCredentials
} from '@breakwater/core'
import type { NativeCredentials } from './addon.ts'

/** RFC 4279 §5.3: what every implementation must take. */
const longestPskIdentityBytes = 128
const longestPskBytes = 64
/** RFC 9257 §6: at least 128 bits of entropy, so at least that many bits. */
const shortestPskBytes = 16

/** A SHA-256 whole, or its first 120 bits (RFC 7252 §9.1.3.2.1). */
const keyDigest = /^(?:[0-9a-f]{64}|[0-9a-f]{30})$/i

/** @internal */
export function invalid(path: string, message: string): ConfigError {
  return new ConfigError('DTLS_OPTIONS_INVALID', `${path}: ${message}`, [{ path, message }])
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

function toNativeRawKey(path: string, credentials: RawPublicKeyCredentials): NativeCredentials {
  const { privateKey, peerKeys } = credentials
  const wrong = peerKeys.find((digest) => !keyDigest.test(digest))
  if (wrong !== undefined)
    throw invalid(`${path}.peerKeys`, `"${wrong}" is no SHA-256 of 64 or 30 hexadecimal digits`)
  return { rawPublicKey: { privateKey, peerKeys: peerKeys.map((digest) => digest.toLowerCase()) } }
}

function serverCredentials(options: ServerCredentials): NativeCredentials {
  const { certificate, preSharedKeys, rawPublicKey } = options
  for (const [identity, key] of preSharedKeys ?? []) checkPsk('preSharedKeys', identity, key)
  return {
    ...(certificate === undefined ? {} : toNativeCertificate(certificate)),
    ...(rawPublicKey === undefined ? {} : toNativeRawKey('rawPublicKey', rawPublicKey)),
    ...(preSharedKeys === undefined ? {} : { preSharedKeys: [...preSharedKeys] })
  }
}

function clientCredentials(credentials: ClientCredentials): NativeCredentials {
  if (credentials.kind === 'certificate') return toNativeCertificate(credentials)
  if (credentials.kind === 'raw-public-key') return toNativeRawKey('credentials', credentials)
  checkPsk('credentials', credentials.identity, credentials.key)
  return { pskIdentity: credentials.identity, pskKey: credentials.key }
}

/** @internal */
export function credentialsOf(options: SecureEndpointOptions): NativeCredentials {
  return options.role === 'server' ? serverCredentials(options) : clientCredentials(options.credentials)
}

/** Those that replace others. @internal */
export function reloadedCredentials(
  role: SecureEndpointOptions['role'],
  credentials: ServerCredentials | ClientCredentials
): NativeCredentials {
  const ofClient = 'kind' in credentials
  if (ofClient !== (role === 'client')) throw invalid('credentials', `these are not those of a ${role}`)
  return ofClient ? clientCredentials(credentials) : serverCredentials(credentials)
}
