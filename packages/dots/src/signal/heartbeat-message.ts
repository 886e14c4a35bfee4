import { Method, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapRequest } from '@breakwater/coap'
import { BreakwaterError, equalBytes } from '@breakwater/core'
import { decodeSignal, encodeSignal } from '@breakwater/model'
import { Code } from '@breakwater/coap'
import { CONTENT_FORMAT_DOTS_CBOR } from './defaults.ts'
import { accepted, refused } from './problem.ts'
import type { Checked } from './problem.ts'
import { heartbeatPath } from './resource.ts'

const HEARD = encodeSignal({ heartbeat: { peerHbStatus: true } })
const NOT_HEARD = encodeSignal({ heartbeat: { peerHbStatus: false } })

const OPTIONS = [...heartbeatPath(), uintOption(OptionNumber.contentFormat, CONTENT_FORMAT_DOTS_CBOR)]
const HEARD_REQUEST: CoapRequest = { method: Method.put, options: OPTIONS, payload: HEARD }
const NOT_HEARD_REQUEST: CoapRequest = { method: Method.put, options: OPTIONS, payload: NOT_HEARD }

/** A heartbeat (RFC 9132 §4.7, Figure 27), to be sent as Non-confirmable. */
export function heartbeatRequest(peerHeartbeatStatus: boolean): CoapRequest {
  return peerHeartbeatStatus ? HEARD_REQUEST : NOT_HEARD_REQUEST
}

/** The `peer-hb-status` of a heartbeat's body. The two that every agent writes are known by their bytes. */
export function parseHeartbeat(payload: Uint8Array): Checked<boolean> {
  if (equalBytes(payload, HEARD)) return accepted(true)
  if (equalBytes(payload, NOT_HEARD)) return accepted(false)
  try {
    const status = decodeSignal(payload).heartbeat?.peerHbStatus
    if (status !== undefined) return accepted(status)
  } catch (error) {
    if (error instanceof BreakwaterError) return refused(error.code, Code.badRequest, error.message)
    throw error
  }
  return refused(
    'DOTS_SIGNAL_HEARTBEAT_INVALID',
    Code.badRequest,
    'the body has no peer-hb-status (heartbeat)'
  )
}
