import { type Duration, inSeconds } from '@breakwater/core'
import { isResponse } from '../code.ts'
import { decodeMessage } from '../codec/decode.ts'
import { encodeMessage } from '../codec/encode.ts'
import { findOption, uintOption, uintValue } from '../option-value.ts'
import { OptionNumber } from '../option.ts'

/**
 * An encoded response as it is to be sent again after a while: Max-Age is what is left of it (RFC 7252 §5.10.5). The same
 * bytes where it has none, and for everything else that is sent.
 */
export function aged(bytes: Uint8Array, age: Duration): Uint8Array {
  const passed = Math.floor(inSeconds(age))
  if (passed < 1 || !isResponse(bytes[1] ?? 0)) return bytes
  const message = decodeMessage(bytes)
  const maxAge = findOption(message.options, OptionNumber.maxAge)
  if (maxAge === undefined || maxAge.value.length > 4) return bytes
  const left = uintOption(OptionNumber.maxAge, Math.max(0, uintValue(maxAge.value) - passed))
  const options = message.options.map((option) => (option === maxAge ? left : option))
  return encodeMessage({ ...message, options })
}
