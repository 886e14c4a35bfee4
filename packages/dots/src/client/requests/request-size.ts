import type { CoapRequest } from '@breakwater/coap'
import { heartbeatRequest } from '../../signal/heartbeat-message.ts'

/** Bytes of a request on the wire, or a few more: header, longest token, options with their heads, marker, payload. */
export function sizeOf({ options, payload }: CoapRequest): number {
  const optionBytes = options.reduce((sum, { value }) => sum + value.length + 2, 0)
  return 4 + 8 + optionBytes + 1 + payload.length
}

export const HEARTBEAT_BYTES: number = sizeOf(heartbeatRequest(true))
