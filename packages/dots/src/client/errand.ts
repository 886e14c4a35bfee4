import { CONTENT_FORMAT_DOTS_CBOR } from '../signal/defaults.ts'
import { mitigationRequestBody } from '../signal/mapper.ts'
import { mitigatePath } from '../signal/resource.ts'
import type { Lifetime } from '../signal/lifetime.ts'
import { Method, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapRequest } from '@breakwater/coap'
import { encodeSignal } from '@breakwater/model'
import type { Cuid, MitigationId } from '../domain/identifier.ts'
import type { Target } from '../domain/target.ts'

/** What we want of a server by one CoAP exchange. */
export type Errand =
  | { readonly kind: 'put'; readonly mitigationId: MitigationId }
  | { readonly kind: 'delete'; readonly mitigationId: MitigationId }
  | { readonly kind: 'observe'; readonly mitigationId: MitigationId }
  /** All mitigations of our cuid. */
  | { readonly kind: 'list' }

/** What goes first when several wait for their turn: protection before news of it. */
export const ERRAND_PRIORITY: Readonly<Record<Errand['kind'], number>> = {
  put: 0,
  delete: 1,
  observe: 2,
  list: 3
}

/** RFC 9132 §4.4: mitigation requests are never held back by a heartbeat. */
export const HEARTBEAT_PRIORITY = 4

export function errandKey(errand: Errand): string {
  return errand.kind === 'list' ? 'list' : `${errand.kind}:${errand.mitigationId}`
}

const NOTHING = new Uint8Array(0)
const contentFormat = uintOption(OptionNumber.contentFormat, CONTENT_FORMAT_DOTS_CBOR)

/** RFC 9132 §4.4.1.1, Figure 5. */
export function putRequest(cuid: Cuid, id: MitigationId, target: Target, lifetime: Lifetime): CoapRequest {
  const payload = encodeSignal(mitigationRequestBody(target, lifetime))
  return { method: Method.put, options: [...mitigatePath(cuid, id), contentFormat], payload }
}

/** RFC 9132 §4.4.4, Figure 17. */
export function deleteRequest(cuid: Cuid, id: MitigationId): CoapRequest {
  return { method: Method.delete, options: mitigatePath(cuid, id), payload: NOTHING }
}

/** RFC 9132 §4.4.2.1: GET with Observe 0. */
export function observeRequest(cuid: Cuid, id: MitigationId): CoapRequest {
  const options = [uintOption(OptionNumber.observe, 0), ...mitigatePath(cuid, id)]
  return { method: Method.get, options, payload: NOTHING }
}

/** RFC 9132 §4.4.2: without a mid, everything of our cuid. */
export function listRequest(cuid: Cuid): CoapRequest {
  return { method: Method.get, options: mitigatePath(cuid), payload: NOTHING }
}
