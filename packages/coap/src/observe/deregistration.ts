import { decodeMessage } from '../codec/decode.ts'
import { encodeMessage } from '../codec/encode.ts'
import { uintOption } from '../option-value.ts'
import { OptionNumber } from '../option.ts'
import { withoutObserve } from './observe-option.ts'

/**
 * What ends an observation at once: its registration, token and all, with an Observe option of 1 (RFC 7641 §3.6). The set
 * of ETags may differ, and there is nothing to validate.
 */
export function deregistrationOf(registration: Uint8Array): Uint8Array {
  const message = decodeMessage(registration)
  const others = withoutObserve(message.options).filter(({ number }) => number !== OptionNumber.etag)
  return encodeMessage({ ...message, options: [...others, uintOption(OptionNumber.observe, 1)] })
}
