import { toHex } from '@breakwater/core'
import type { CoapOption } from '../message.ts'
import { isNoCacheKey, OptionNumber } from '../option.ts'

/** Options that differ between the requests of one transfer, or may. */
const varying: ReadonlySet<number> = new Set([
  OptionNumber.ifMatch,
  OptionNumber.etag,
  OptionNumber.ifNoneMatch,
  OptionNumber.observe,
  OptionNumber.contentFormat,
  OptionNumber.block1,
  OptionNumber.block2
])

/**
 * What the requests of one block-wise transfer have in common: method and cache key (RFC 7959 §2.4: "the requesting
 * endpoint and the URI"; the endpoint is the session). Two transfers with one key overwrite each other (RFC 7959 §2.5).
 */
export function resourceKey(method: number, options: readonly CoapOption[]): string {
  let key = String(method)
  for (const { number, value } of options)
    if (!varying.has(number) && !isNoCacheKey(number)) key += ` ${number}:${toHex(value)}`
  return key
}
