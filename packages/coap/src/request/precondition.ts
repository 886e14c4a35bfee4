import { equalBytes } from '@breakwater/core'
import type { CoapOption } from '../message.ts'
import { OptionNumber } from '../option.ts'

/** What is there now; `undefined` stands for a resource that does not exist. */
export interface CurrentState {
  readonly etag?: Uint8Array
}

/**
 * Whether a request may be performed under its conditions (RFC 7252 §5.10.8); where not, the answer is 4.12.
 *
 * If-Match holds when any of its values is empty and there is something, or is the ETag of what is there; If-None-Match
 * holds when there is nothing.
 */
export function isPreconditionMet(
  options: readonly CoapOption[],
  current: CurrentState | undefined
): boolean {
  let asksForMatch = false
  let matches = false
  for (const { number, value } of options) {
    if (number === OptionNumber.ifNoneMatch && current !== undefined) return false
    if (number !== OptionNumber.ifMatch) continue
    asksForMatch = true
    matches ||= current !== undefined && isMatch(value, current.etag)
  }
  return matches || !asksForMatch
}

function isMatch(value: Uint8Array, etag: Uint8Array | undefined): boolean {
  return value.length === 0 || (etag !== undefined && equalBytes(value, etag))
}
