import { encodeUtf8 } from './bytes/utf8.ts'
import { DecodeError } from './errors.ts'
import type { CertificateCredentials, PskCredentials } from './secure-endpoint.ts'

/** RFC 4279 §5.3: what every implementation must take. */
const LONGEST_PSK_IDENTITY_BYTES = 128
const LONGEST_PSK_BYTES = 64
/** RFC 9257 §6: at least 128 bits of entropy, so at least that many bits. */
const SHORTEST_PSK_BYTES = 16

/**
 * What is wrong with a pre-shared key, whichever transport it is for.
 * @returns words for the operator, without a byte of the key; undefined: it may be used.
 */
export function pskProblem(
  identity: PskCredentials['identity'],
  key: PskCredentials['key']
): string | undefined {
  const length = utf8Bytes(identity)
  if (length === 0 || length > LONGEST_PSK_IDENTITY_BYTES || identity.includes('\0'))
    return `an identity has 1 to ${LONGEST_PSK_IDENTITY_BYTES} bytes of UTF-8 and no NUL`
  if (key.length < SHORTEST_PSK_BYTES || key.length > LONGEST_PSK_BYTES)
    return `the key of "${identity}" has ${key.length} bytes, not ${SHORTEST_PSK_BYTES} to ${LONGEST_PSK_BYTES}`
  return undefined
}

/**
 * Certificate revocation lists as one text.
 * @returns undefined when nobody asks for them; empty when somebody does and names none, which must be refused: no list
 * at all is no way to say that nothing was revoked.
 */
export function revocationListText(crl: CertificateCredentials['crl']): string | undefined {
  if (crl === undefined) return undefined
  const text = typeof crl === 'string' ? crl : crl.join('\n')
  return text.trim() === '' ? '' : text
}

/** 0 also when it is no Unicode text. */
function utf8Bytes(text: string): number {
  try {
    return encodeUtf8(text).length
  } catch (error) {
    if (error instanceof DecodeError) return 0
    throw error
  }
}
