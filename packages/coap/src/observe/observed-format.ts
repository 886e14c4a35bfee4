import { readUint } from '../option-value.ts'
import { isSuccess } from '../code.ts'
import { OptionNumber } from '../option.ts'
import type { CoapResponse } from '../session.ts'

/** The Content-Format of one observation: what its first response that names one has, all others have (RFC 7641 §4.2). */
export class FormatOfObservation {
  #format: number | undefined

  constructor(first: CoapResponse) {
    this.#format = readUint(first.options, OptionNumber.contentFormat)
  }

  /** Whether a notification may leave as it is. Errors may, and what names no format, as a 2.03 does. */
  fits(response: CoapResponse): boolean {
    if (!isSuccess(response.code)) return true
    const format = readUint(response.options, OptionNumber.contentFormat)
    this.#format ??= format
    return format === undefined || format === this.#format
  }
}
