import { decodeUtf8, DecodeError, encodeUtf8 } from '@breakwater/core'

/** RFC 7252 §6.5 steps 6 and 8: what stands for itself in a path segment, and in an argument of a query. */
export const inSegment: RegExp = /^[A-Za-z0-9\-._~!$&'()*+,;=:@]$/
export const inArgument: RegExp = /^[A-Za-z0-9\-._~!$'()*+,;=:@/?]$/
/** RFC 3986 §3.2.2: in a reg-name. */
export const inRegName: RegExp = /^[A-Za-z0-9\-._~!$&'()*+,;=]$/

/** RFC 7252 §6.5: each byte of other characters as `%` and two hexadecimal digits in uppercase. */
export function percentEncode(text: string, literal: RegExp): string {
  let encoded = ''
  for (const character of text) {
    if (literal.test(character)) encoded += character
    else for (const byte of encodeUtf8(character)) encoded += `%${hexPair(byte)}`
  }
  return encoded
}

function hexPair(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0')
}

/**
 * Turns each percent-encoding into its byte, once, and reads the bytes as UTF-8.
 * @returns undefined where a `%` begins none, a character has to be encoded and is not, or the bytes are no UTF-8.
 */
export function percentDecode(text: string, literal: RegExp): string | undefined {
  const bytes: number[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character !== '%') {
      if (!literal.test(character)) return undefined
      bytes.push(character.charCodeAt(0))
      continue
    }
    const pair = text.slice(at + 1, at + 3)
    if (!/^[0-9a-f]{2}$/i.test(pair)) return undefined
    bytes.push(Number.parseInt(pair, 16))
    at += 2
  }
  return textOf(Uint8Array.from(bytes))
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decodeUtf8(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
