import { readUint } from '../option-value.ts'
import { isSuccess } from '../code.ts'
import { OptionNumber } from '../option.ts'
import type { CoapResponse } from '../session.ts'

/** An observation has one Content-Format: what its first response that names one has, all others have (RFC 7641 §4.2). */
export interface OfOneFormat {
  /** Undefined until a response named one. */
  contentFormat: number | undefined
}

/** Whether a notification may leave as it is. Errors may, and what names no format, as a 2.03 does. */
export function keepsFormat(observation: OfOneFormat, response: CoapResponse): boolean {
  return !isSuccess(response.code) || takesFormat(observation, contentFormatOf(response))
}

/** The same of a 2.xx that has this Content-Format. */
export function takesFormat(observation: OfOneFormat, format: number | undefined): boolean {
  observation.contentFormat ??= format
  return format === undefined || format === observation.contentFormat
}

export function contentFormatOf({ options }: CoapResponse): number | undefined {
  return readUint(options, OptionNumber.contentFormat)
}
