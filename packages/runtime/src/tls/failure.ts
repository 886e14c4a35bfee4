import type { SessionFailure } from '@breakwater/core'

/** What the server's certificate lacks: the name that we asked for. */
export const nameMismatchCode = 'ERR_SERVER_NAME'

/** Node's name for an error, or an empty text. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Nobody answers, or there is no way there. */
const unreachable = new Set([
  'ECONNREFUSED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'ERR_TLS_HANDSHAKE_TIMEOUT'
])

const cutOff = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED'])

/** OpenSSL names what the peer's alert says after the version that defined it: `ERR_SSL_TLSV1_ALERT_UNKNOWN_CA`. */
const alertOfPeer = /^ERR_SSL_(?:SSL\/TLS|SSLV3|TLSV1|TLSV13)_/

/**
 * Why a handshake failed.
 * @param refusal what Node's own check of the peer's certificate found (`authorizationError`), if anything
 */
export function failureOf(error: unknown, refusal: unknown): SessionFailure {
  const code = codeOf(error)
  if (code === nameMismatchCode) return 'name-mismatch'
  if (refusal !== null && refusal !== undefined && refusal !== '') return 'certificate-refused'
  if (unreachable.has(code)) return 'timeout'
  if (cutOff.has(code) || alertOfPeer.test(code)) return 'peer-alert'
  if (code === 'ERR_SSL_PSK_IDENTITY_NOT_FOUND') return 'no-shared-key'
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' || code === 'ERR_SSL_CERTIFICATE_VERIFY_FAILED')
    return 'certificate-refused'
  return 'protocol'
}
