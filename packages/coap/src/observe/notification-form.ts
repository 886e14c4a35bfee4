import { isSuccess } from '../code.ts'
import { encodeMessage, optionsAndPayloadBytes } from '../codec/encode.ts'
import { HEADER_BYTES } from '../codec/limit.ts'
import { type PackedToken, writeToken } from '../message/packed-token.ts'
import { OptionNumber } from '../option.ts'
import { checkResponse } from '../request/sendable.ts'
import type { CoapResponse } from '../session.ts'
import { contentFormatOf } from './observed-format.ts'
import { withoutObserve, withSequence } from './observe-option.ts'

const NO_BYTES = new Uint8Array(0)

/** Takes the most room that a sequence number can (RFC 7641 §4.4). */
const LONGEST_SEQUENCE = 0xff_ffff

/** What many observers of a resource are told, written once: for each of them only token and sequence number are filled in. */
export class NotificationForm {
  /** Whether the observation goes on. */
  readonly isSuccess: boolean
  readonly contentFormat: number | undefined
  readonly #code: number
  /** Options before the Observe option, and its head with a length of 0. */
  readonly #before: Uint8Array
  /** Options behind it, and the payload. */
  readonly #behind: Uint8Array

  /** @throws InternalError `COAP_MESSAGE_UNSENDABLE`. */
  constructor(response: CoapResponse) {
    checkResponse(response)
    const { code, payload } = response
    this.#code = code
    // RFC 7641 §4.2: a sequence number in each 2.xx, no Observe option in any other.
    const isNumbered = isSuccess(code)
    this.isSuccess = isNumbered
    this.contentFormat = contentFormatOf(response)
    const options = isNumbered
      ? withSequence(response.options, LONGEST_SEQUENCE)
      : withoutObserve(response.options)
    const whole = encodeMessage({
      type: 'confirmable',
      code,
      messageId: 0,
      token: NO_BYTES,
      options,
      payload
    })
    if (!isNumbered) {
      this.#before = NO_BYTES
      this.#behind = whole.subarray(HEADER_BYTES)
      return
    }
    const earlier = options.filter(({ number }) => number < OptionNumber.observe)
    const at = HEADER_BYTES + optionsAndPayloadBytes(earlier, NO_BYTES)
    this.#before = whole.slice(HEADER_BYTES, at + 1)
    this.#before[at - HEADER_BYTES] = (whole[at] ?? 0) & 0xf0
    this.#behind = whole.subarray(at + 4)
  }

  /** Bytes of the message to one observer. */
  lengthFor({ tokenLength }: PackedToken, sequence: number): number {
    const numbers = this.#before.length === 0 ? 0 : uintBytes(sequence)
    return HEADER_BYTES + tokenLength + this.#before.length + numbers + this.#behind.length
  }

  /** Writes a Confirmable message without a Message ID to where `lengthFor` bytes have room. */
  write(token: PackedToken, sequence: number, into: Uint8Array, at: number): void {
    const before = this.#before
    const numbers = before.length === 0 ? 0 : uintBytes(sequence)
    const afterToken = at + HEADER_BYTES + token.tokenLength
    const start = afterToken + before.length
    into[at] = 0x40 | token.tokenLength
    into[at + 1] = this.#code
    writeToken(token, into, at + HEADER_BYTES)
    for (let i = 0; i < before.length; i++) into[afterToken + i] = before[i] ?? 0
    if (numbers > 0) into[start - 1] = (into[start - 1] ?? 0) | numbers
    for (let i = 0; i < numbers; i++) into[start + i] = sequence >> (8 * (numbers - 1 - i))
    into.set(this.#behind, start + numbers)
  }

  /** The same in memory of its own. */
  fill(token: PackedToken, sequence: number): Uint8Array {
    const bytes = new Uint8Array(this.lengthFor(token, sequence))
    this.write(token, sequence, bytes, 0)
    return bytes
  }
}

/** How many bytes a uint takes (RFC 7252 §3.2). */
function uintBytes(value: number): number {
  if (value === 0) return 0
  if (value < 0x100) return 1
  return value < 0x1_0000 ? 2 : 3
}

const forms = new WeakMap<CoapResponse, NotificationForm>()

/** The one that was asked for last: mostly it is asked for again at once, for the next observer. */
let latest: { readonly response: CoapResponse; readonly form: NotificationForm } | undefined

/** The form of a response, made when it is first asked for: observers of one representation are told the same object. */
export function notificationForm(response: CoapResponse): NotificationForm {
  if (latest?.response === response) return latest.form
  let form = forms.get(response)
  if (form === undefined) forms.set(response, (form = new NotificationForm(response)))
  latest = { response, form }
  return form
}
