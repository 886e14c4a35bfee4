import { DecodeError, decodeUtf8, encodeUtf8, InternalError } from '@breakwater/core'
import type { CoapOption } from '../message.ts'
import { emptyOption, stringOption, uintOption, uintValue } from '../option-value.ts'
import { isCritical } from '../option.ts'
import { SignalCode, SignalOption, type StreamMessage } from './stream-message.ts'

const nothing = new Uint8Array(0)

/** Header, token and Block2 option beside a block of 16 bytes: a peer that takes less cannot be answered. */
const LEAST_MESSAGE_BYTES = 32

/** RFC 8323 §5.3.1: what a peer takes that has not said otherwise. */
export const BASE_MESSAGE_BYTES = 1152

/** What one end can do, as far as it has said (RFC 8323 §5.3). */
export interface Capabilities {
  readonly maxMessageBytes: number
  readonly blockwise: boolean
}

export const baseCapabilities: Capabilities = { maxMessageBytes: BASE_MESSAGE_BYTES, blockwise: false }

/** RFC 8323 §5.3.2: block-wise transfer and messages above the base value together mean BERT. */
export function takesBert(capabilities: Capabilities): boolean {
  return capabilities.blockwise && capabilities.maxMessageBytes > BASE_MESSAGE_BYTES
}

export function composeCsm(own: Capabilities): StreamMessage {
  const options = [uintOption(SignalOption.maxMessageSize, own.maxMessageBytes)]
  if (own.blockwise) options.push(emptyOption(SignalOption.blockWiseTransfer))
  return { code: SignalCode.csm, token: nothing, options, payload: nothing }
}

/** What is wrong with a signaling message; `option` is set where a CSM option is to blame. */
export interface SignalFault {
  readonly text: string
  readonly option: number
}

/** RFC 8323 §5.3: capabilities add up; a value that comes again replaces the one before. */
export function readCsm(message: StreamMessage, before: Capabilities): Capabilities | SignalFault {
  let { maxMessageBytes, blockwise } = before
  let last = -1
  for (const { number, value } of message.options) {
    const isRepeated = number === last
    last = number
    if (isCritical(number)) return { text: `CSM option ${number} is not known here`, option: number }
    // RFC 7252 §5.4.5: a supernumerary option that is elective is ignored.
    if (isRepeated) continue
    if (number === SignalOption.maxMessageSize) {
      if (value.length > 4) return { text: `a Max-Message-Size of ${value.length} bytes`, option: number }
      maxMessageBytes = uintValue(value)
      if (maxMessageBytes < LEAST_MESSAGE_BYTES)
        return {
          text: `a Max-Message-Size of ${maxMessageBytes} leaves no room for an answer`,
          option: number
        }
    } else if (number === SignalOption.blockWiseTransfer) {
      if (value.length > 0) return { text: 'a Block-Wise-Transfer with a value', option: number }
      blockwise = true
    }
  }
  return { maxMessageBytes, blockwise }
}

/** RFC 8323 §5.2: no critical option is defined for any other signaling message. */
export function criticalOption(message: StreamMessage): number | undefined {
  return message.options.find(({ number }) => isCritical(number))?.number
}

export function composePing(token: Uint8Array, custody: boolean): StreamMessage {
  return { code: SignalCode.ping, token, options: custodyOption(custody), payload: nothing }
}

export function composePong(token: Uint8Array, custody: boolean): StreamMessage {
  return { code: SignalCode.pong, token, options: custodyOption(custody), payload: nothing }
}

function custodyOption(custody: boolean): CoapOption[] {
  return custody ? [emptyOption(SignalOption.custody)] : []
}

export function hasCustody(message: StreamMessage): boolean {
  return message.options.some(({ number, value }) => number === SignalOption.custody && value.length === 0)
}

/** Why a connection is to be released, and what to do instead (RFC 8323 §5.5). */
export interface Release {
  /** `authority` of RFC 3986, 1 … 255 bytes each: open a connection there instead. */
  readonly alternativeAddresses?: readonly string[]
  /** Do not come back here for so long: 0 … 2^24 − 1. */
  readonly holdOffSeconds?: number
  readonly diagnostic?: string
}

export function composeRelease(release: Release): StreamMessage {
  const { alternativeAddresses = [], holdOffSeconds, diagnostic = '' } = release
  const options = alternativeAddresses.map((address) =>
    stringOption(SignalOption.alternativeAddress, address)
  )
  for (const { value } of options)
    if (value.length === 0 || value.length > 255)
      throw new InternalError('COAP_OPTION_VALUE_INVALID', 'an Alternative-Address of 0 or above 255 bytes')
  if (holdOffSeconds !== undefined)
    options.push(uintOption(SignalOption.holdOff, Math.min(holdOffSeconds, 0xff_ffff)))
  return { code: SignalCode.release, token: nothing, options, payload: encodeUtf8(diagnostic) }
}

/** Elective options that are out of their definition are left out (RFC 7252 §5.4.3). */
export function readRelease(message: StreamMessage): Release {
  const alternativeAddresses: string[] = []
  let holdOffSeconds: number | undefined
  for (const { number, value } of message.options)
    if (number === SignalOption.alternativeAddress && value.length >= 1 && value.length <= 255)
      alternativeAddresses.push(...textOrNothing(value))
    else if (number === SignalOption.holdOff && value.length <= 3) holdOffSeconds ??= uintValue(value)
  return {
    alternativeAddresses,
    diagnostic: readDiagnostic(message),
    ...(holdOffSeconds === undefined ? {} : { holdOffSeconds })
  }
}

/** RFC 8323 §5.6: with a diagnostic, and with the CSM option that is to blame. */
export function composeAbort(diagnostic: string, badCsmOption?: number): StreamMessage {
  const options = badCsmOption === undefined ? [] : [uintOption(SignalOption.badCsmOption, badCsmOption)]
  return { code: SignalCode.abort, token: nothing, options, payload: encodeUtf8(diagnostic) }
}

/** The diagnostic payload of a signaling message; empty when it is no UTF-8 (RFC 7252 §5.5.2). */
export function readDiagnostic(message: StreamMessage): string {
  return textOrNothing(message.payload)[0] ?? ''
}

function textOrNothing(bytes: Uint8Array): string[] {
  try {
    return [decodeUtf8(bytes)]
  } catch (error) {
    if (error instanceof DecodeError) return []
    throw error
  }
}
