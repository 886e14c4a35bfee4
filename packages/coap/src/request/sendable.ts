import { InternalError } from '@breakwater/core'
import { Code, formatCode } from '../code.ts'
import type { CoapOption } from '../message.ts'
import { Method } from '../method.ts'
import { findOption, uintValue } from '../option-value.ts'
import { formatOptionNumber, isDefinedFor, optionDefinition, OptionNumber } from '../option.ts'
import type { CoapRequest, CoapResponse } from '../session.ts'
import { DEFAULT_MAX_AGE_SECONDS } from './too-many-requests.ts'

/**
 * What RFC 7252 forbids a sender although every recipient could read it.
 * @throws InternalError `COAP_MESSAGE_UNSENDABLE`: it is the application's mistake.
 */
export function checkRequest(request: CoapRequest): void {
  const { method, options, payload } = request
  demand(payload.length === 0 || hasPayload(method), 'a payload in a request that has none')
  checkRepetition(options, false)
  checkPlaces(options, method)
  // RFC 7959 §4: in a request it asks for the size, which nobody can know before.
  const size = findOption(options, OptionNumber.size2)
  demand(size === undefined || size.value.every((byte) => byte === 0), 'a Size2 that is not 0 in a request')
}

/** See `checkRequest`. */
export function checkResponse(response: CoapResponse): void {
  const { code, options, payload } = response
  demand(payload.length === 0 || hasPayload(code), 'a payload in a response that has none')
  // RFC 7252 §5.9.1.3: what is valid is named by its ETag.
  demand(code !== Code.valid || findOption(options, OptionNumber.etag) !== undefined, 'a 2.03 without ETag')
  checkRepetition(options, true)
  checkPlaces(options, code)
}

/** RFC 7252 §5.4: no option where it means nothing. */
function checkPlaces(options: readonly CoapOption[], code: number): void {
  for (const { number } of options) {
    const definition = optionDefinition(number)
    if (definition !== undefined && !isDefinedFor(definition, code))
      demand(false, `${formatOptionNumber(number)} in a message with code ${formatCode(code)}`)
  }
}

/**
 * RFC 7252 §5.4.4: without options that say what their absence says. A notification keeps its Max-Age, as its age is to be
 * named (RFC 7641 §4.3.1).
 */
export function withoutDefaults(options: readonly CoapOption[]): readonly CoapOption[] {
  const maxAge = findOption(options, OptionNumber.maxAge)
  if (maxAge === undefined || maxAge.value.length > 4) return options
  return uintValue(maxAge.value) === DEFAULT_MAX_AGE_SECONDS
    ? options.filter((option) => option !== maxAge)
    : options
}

/** What is handed up: a payload where none is defined is ignored (RFC 7252 §5.5). */
export function payloadOf(message: { readonly code: number; readonly payload: Uint8Array }): Uint8Array {
  return message.payload.length === 0 || hasPayload(message.code) ? message.payload : new Uint8Array(0)
}

/** RFC 7252 §5.8.1, §5.8.4, §5.9.1.3; RFC 7959 §2.9.1. */
function hasPayload(code: number): boolean {
  return code !== Method.get && code !== Method.delete && code !== Code.valid && code !== Code.continue
}

function checkRepetition(options: readonly CoapOption[], isResponse: boolean): void {
  let before = -1
  for (const { number, value } of options) {
    if (number === before) demand(isRepeatable(number, isResponse), `option ${number} more than once`)
    before = number
    if (number === OptionNumber.locationPath) demand(!isDots(value), 'a Location-Path of dots')
  }
}

/** RFC 7252 §5.4.5; §5.10.6.1: ETag in requests only. */
function isRepeatable(number: number, isResponse: boolean): boolean {
  if (number === OptionNumber.etag && isResponse) return false
  return optionDefinition(number)?.repeatable ?? true
}

/** RFC 7252 §5.10.7: `.` and `..`. */
function isDots(value: Uint8Array): boolean {
  return value.length > 0 && value.length <= 2 && value.every((byte) => byte === 0x2e)
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new InternalError('COAP_MESSAGE_UNSENDABLE', what)
}
