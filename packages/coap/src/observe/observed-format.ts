import { readUint } from '../option-value.ts'
import { isSuccess } from '../code.ts'
import { OptionNumber } from '../option.ts'
import type { CoapResponse } from '../session.ts'

/** The Content-Format of one observation: what its first response that names one has, all others have (RFC 7641 §4.2). */
export class FormatOfObservation {
  #format: number | undefined

  constructor(first: CoapResponse) {
    this.#format = contentFormatOf(first)
  }

  /** Whether a notification may leave as it is. Errors may, and what names no format, as a 2.03 does. */
  fits(response: CoapResponse): boolean {
    return !isSuccess(response.code) || this.fitsFormat(contentFormatOf(response))
  }

  /** The same of a 2.xx that has this Content-Format. */
  fitsFormat(format: number | undefined): boolean {
    this.#format ??= format
    return format === undefined || format === this.#format
  }
}

export function contentFormatOf({ options }: CoapResponse): number | undefined {
  return readUint(options, OptionNumber.contentFormat)
}
