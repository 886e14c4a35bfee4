import { toHex } from '@breakwater/core'
import { resourceKey } from '../blockwise/resource-key.ts'
import type { CoapRequest } from '../session.ts'
import { observeAction } from './observe-option.ts'

/**
 * What a request asks to observe, as one text per target: method, cache key and, for FETCH, payload; undefined when it
 * registers nothing.
 */
export function observedResource(request: CoapRequest): string | undefined {
  const { method, options, payload } = request
  if (observeAction(method, options) !== 'register') return undefined
  return `${resourceKey(method, options)} ${toHex(payload)}`
}
