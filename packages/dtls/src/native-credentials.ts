import { ConfigError, pskProblem, revocationListText } from '@breakwater/core'
import type {
  CertificateCredentials,
  ClientCredentials,
  RawPublicKeyCredentials,
  SecureEndpointOptions,
  ServerCredentials
} from '@breakwater/core'
import type { NativeCredentials } from './addon.ts'

/** A SHA-256 whole, or its first 120 bits (RFC 7252 §9.1.3.2.1). */
const keyDigest = /^(?:[0-9a-f]{64}|[0-9a-f]{30})$/i

/** @internal */
export function invalid(path: string, message: string): ConfigError {
  return new ConfigError('DTLS_OPTIONS_INVALID', `${path}: ${message}`, [{ path, message }])
}

function checkPsk(path: string, identity: string, key: Uint8Array): void {
  const problem = pskProblem(identity, key)
  if (problem !== undefined) throw invalid(path, problem)
}

function toNativeCertificate(credentials: CertificateCredentials): NativeCredentials {
  const { certificate, privateKey, trustAnchors, crl } = credentials
  const texts = { certificate, privateKey, trustAnchors }
  const lists = revocationListText(crl)
  if (lists === undefined) return { certificate: texts }
  if (lists === '') throw invalid('crl', 'no PEM certificate revocation list')
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
