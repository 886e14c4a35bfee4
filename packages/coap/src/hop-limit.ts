import { DecodeError, decodeUtf8, encodeUtf8, InternalError } from '@breakwater/core'
import { Code } from './code.ts'
import type { CoapOption } from './message.ts'
import { findOption, uintOption, uintValue } from './option-value.ts'
import { OptionNumber } from './option.ts'
import type { CoapResponse } from './session.ts'

/** RFC 8768 §3: where nobody says otherwise. */
export const DEFAULT_HOP_LIMIT = 16

/** RFC 8768 §3: what a proxy does with a request; `exhausted` comes with the answer. */
export type NextHop =
  | { readonly kind: 'forward'; readonly options: readonly CoapOption[] }
  | { readonly kind: 'exhausted'; readonly response: CoapResponse }

/** A Hop-Limit to send with a request. Throws an InternalError outside 1 … 255 (RFC 8768 §3). */
export function hopLimit(hops: number = DEFAULT_HOP_LIMIT): CoapOption {
  if (!Number.isInteger(hops) || hops < 1 || hops > 255)
    throw new InternalError('COAP_OPTION_VALUE_INVALID', `Hop-Limit ${hops} is not of 1 … 255`)
  return uintOption(OptionNumber.hopLimit, hops)
}

/** RFC 8768 §3: 0 and what is above 255 are refused by 4.00. Only the first of several counts (RFC 7252 §5.4.5). */
export function hasInvalidHopLimit(options: readonly CoapOption[]): boolean {
  const option = findOption(options, OptionNumber.hopLimit)
  if (option === undefined) return false
  if (option.value.length > 4) return true
  const hops = uintValue(option.value)
  return hops < 1 || hops > 255
}

/** What answers a request with an invalid Hop-Limit. */
export const invalidHopLimit: CoapResponse = {
  code: Code.badRequest,
  options: [],
  payload: encodeUtf8('Hop-Limit is not of 1 ... 255')
}

/**
 * The options of a request at its next hop: Hop-Limit lowered by one, or inserted where there was none.
 * @param options As they came, with a valid Hop-Limit or none.
 * @param identifier Of the proxy, for the diagnostic of a 5.08 (RFC 8768 §4).
 */
export function nextHop(
  options: readonly CoapOption[],
  identifier: string,
  initial: number = DEFAULT_HOP_LIMIT
): NextHop {
  const present = findOption(options, OptionNumber.hopLimit)
  if (present === undefined) return { kind: 'forward', options: withHopLimit(options, hopLimit(initial)) }
  const left = uintValue(present.value) - 1
  return left < 1
    ? { kind: 'exhausted', response: hopLimitReached(identifier) }
    : { kind: 'forward', options: withHopLimit(options, hopLimit(left)) }
}

function withHopLimit(options: readonly CoapOption[], option: CoapOption): readonly CoapOption[] {
  const others = options.filter(({ number }) => number !== OptionNumber.hopLimit)
  return [...others, option].toSorted((a, b) => a.number - b.number)
}

/** A 5.08 that names who gave up (RFC 8768 §4). Throws an InternalError on an identifier with a space, or none. */
export function hopLimitReached(identifier: string): CoapResponse {
  return { code: Code.hopLimitReached, options: [], payload: encodeUtf8(checked(identifier)) }
}

/**
 * A 5.08 on its way back: with this proxy put in front of those behind it (RFC 8768 §4).
 * @returns undefined when its name is there already: a loop, and nothing is forwarded.
 */
export function backThroughProxy(response: CoapResponse, identifier: string): CoapResponse | undefined {
  const behind = readIdentifiers(response.payload)
  if (behind.includes(checked(identifier))) return undefined
  return { ...response, payload: encodeUtf8([identifier, ...behind].join(' ')) }
}

function readIdentifiers(payload: Uint8Array): string[] {
  try {
    return decodeUtf8(payload)
      .split(' ')
      .filter((name) => name !== '')
  } catch (error) {
    if (error instanceof DecodeError) return []
    throw error
  }
}

function checked(identifier: string): string {
  if (identifier === '' || identifier.includes(' '))
    throw new InternalError('COAP_OPTION_VALUE_INVALID', `"${identifier}" cannot name a proxy in a 5.08`)
  return identifier
}
