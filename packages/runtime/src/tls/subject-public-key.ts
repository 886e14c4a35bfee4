interface Element {
  readonly tag: number
  readonly content: number
  readonly end: number
}

/** More bytes of length than any certificate needs. */
const longestLength = 4

/** The head of one DER element (X.690 §8.1); undefined when there is none. */
function elementAt(der: Uint8Array, at: number): Element | undefined {
  const [tag, short] = [der[at], der[at + 1]]
  // 0x80: an indefinite length, which DER has not.
  if (tag === undefined || short === undefined || short === 0x80) return undefined
  const more = short < 0x80 ? 0 : short - 0x80
  let length = more === 0 ? short : 0
  for (const byte of der.subarray(at + 2, at + 2 + more)) length = length * 256 + byte
  const content = at + 2 + more
  return more > longestLength || content + length > der.length
    ? undefined
    : { tag, content, end: content + length }
}

const versionTag = 0xa0

/**
 * The SubjectPublicKeyInfo of a certificate (RFC 5280 §4.1), as its issuer signed it. Node's own export writes some keys
 * anew, and a digest over that would not be the one that others see.
 *
 * @returns undefined when the certificate is not in DER
 */
export function subjectPublicKeyInfo(certificate: Uint8Array): Uint8Array | undefined {
  const whole = elementAt(certificate, 0)
  const signed = whole && elementAt(certificate, whole.content)
  const first = signed && elementAt(certificate, signed.content)
  if (first === undefined) return undefined
  let at = first.tag === versionTag ? first.end : signed?.content
  // Serial number, signature algorithm, issuer, validity, subject.
  for (let field = 0; field < 5 && at !== undefined; field++) at = elementAt(certificate, at)?.end
  const key = at === undefined ? undefined : elementAt(certificate, at)
  return key && certificate.subarray(at, key.end)
}
