import { parseIpAddress, parseIpPrefix } from '@breakwater/core'

/** Control characters but for tab, line feed and carriage return; the last two code points of each plane; 32 more. */
// oxlint-disable-next-line no-control-regex -- those are what it looks for
const EXCLUDED = /[\0-\x08\x0b\x0c\x0e-\x1f\p{Noncharacter_Code_Point}]/u

/** What the type `string` of YANG has no room for (RFC 7950 §9.4, the rule `yang-char` of §14). */
export function isYangString(text: string): boolean {
  return !EXCLUDED.test(text)
}

/** The texts of `ietf-inet-types` (RFC 6991 §4). */

/** An address without zone: one that crosses the network has none. */
export function isIpAddress(text: string): boolean {
  return parseIpAddress(text) !== undefined
}

/** Host bits may be set, as in the standard's pattern; the receiver clears them. */
export function isIpPrefix(text: string): boolean {
  return parseIpPrefix(text, 'clear') !== undefined
}

const LABEL = /^(?:[a-z0-9_][a-z0-9_-]{0,61})?[a-z0-9]$/i

/** Letters, digits, `_` and `-` in labels of 1 … 63, of which a letter or digit is last; a dot may end it; `.` is the root. */
export function isDomainName(text: string): boolean {
  if (text.length > 253) return false
  const relative = text.endsWith('.') ? text.slice(0, -1) : text
  return text === '.' || relative.split('.').every((label) => LABEL.test(label))
}

const SCHEME = /^[a-z][a-z0-9+.-]*:/i
const URI_CHARACTERS = /^(?:[a-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9a-f]{2})*$/i

/** A scheme and the characters that RFC 3986 §2 allows; what stands between them is the scheme's affair. */
export function isUri(text: string): boolean {
  return SCHEME.test(text) && URI_CHARACTERS.test(text)
}
