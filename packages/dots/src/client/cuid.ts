import { InternalError, encodeUtf8 } from '@breakwater/core'
import type { Entropy } from '@breakwater/core'
import { parseCuid } from '../domain/identifier.ts'
import type { Cuid } from '../domain/identifier.ts'

/** What of a credential goes into the hash (RFC 9132 §4.4.1.1). */
export type CuidSource =
  /** DER of the SubjectPublicKeyInfo of the client's certificate. */
  | { readonly kind: 'certificate'; readonly subjectPublicKeyInfo: Uint8Array }
  | { readonly kind: 'psk'; readonly identity: string }

/**
 * The cuid that RFC 9132 §4.4.1.1 and Appendix B recommend: the first 16 bytes of a SHA-256, base64url without padding,
 * 22 characters. The same credential always gives the same cuid, so it needs no storage.
 * @param sha256 Given by the platform: pure code has no cryptography of its own.
 */
export function cuidOf(source: CuidSource, sha256: (bytes: Uint8Array) => Uint8Array): Cuid {
  const bytes = source.kind === 'psk' ? encodeUtf8(source.identity) : source.subjectPublicKeyInfo
  const digest = sha256(bytes)
  if (digest.length !== 32)
    throw new InternalError('DOTS_CLIENT_DIGEST_LENGTH', `a SHA-256 has 32 bytes, not ${digest.length}`)
  return fromBytes(digest.subarray(0, 16))
}

/** A cuid by chance, for when the recommended one is taken (RFC 9132 §4.4.1.1). */
export function randomCuid(entropy: Entropy): Cuid {
  return fromBytes(entropy.bytes(16))
}

function fromBytes(bytes: Uint8Array): Cuid {
  const cuid = parseCuid(base64Url(bytes))
  if (cuid === undefined) throw new InternalError('DOTS_CLIENT_CUID_INVALID', 'base64url gave no cuid')
  return cuid
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** RFC 4648 §5, without the padding. */
function base64Url(bytes: Uint8Array): string {
  let text = ''
  let pending = 0
  let bits = 0
  for (const byte of bytes) {
    pending = (pending << 8) | byte
    bits += 8
    while (bits >= 6) {
      bits -= 6
      text += ALPHABET.charAt((pending >> bits) & 63)
    }
    pending &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + ALPHABET.charAt((pending << (6 - bits)) & 63)
}
