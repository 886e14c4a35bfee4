import { CONTENT_FORMAT_DOTS_CBOR } from '../../signal/defaults.ts'
import { contentQuery } from '../../signal/content.ts'
import { efficacyUpdateBody } from '../../signal/efficacy-update.ts'
import type { AttackStatus } from '../../signal/efficacy-update.ts'
import { mitigationRequestBody } from '../../signal/mapper.ts'
import type { Trigger } from '../../signal/mapper.ts'
import { configPath, mitigatePath } from '../../signal/resource.ts'
import type { Lifetime } from '../../signal/lifetime.ts'
import { Method, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapRequest } from '@breakwater/coap'
import { encodeSignal } from '@breakwater/model'
import type { SignalMessage } from '@breakwater/model'
import type { Cuid, MitigationId } from '../../domain/identifier.ts'
import type { Target } from '../../domain/target.ts'

/** What we want of a server by one CoAP exchange. */
export type Errand =
  | { readonly kind: 'put'; readonly mitigationId: MitigationId }
  | { readonly kind: 'delete'; readonly mitigationId: MitigationId }
  | { readonly kind: 'observe'; readonly mitigationId: MitigationId }
  /** All mitigations of our cuid, now and whenever one changes. */
  | { readonly kind: 'list' }
  | { readonly kind: 'efficacy'; readonly mitigationId: MitigationId }
  /** The configuration of the session, now and whenever it changes. */
  | { readonly kind: 'config' }
  | { readonly kind: 'config-change' }

/** What goes first when several wait for their turn: protection before news of it. */
const PRIORITY: Readonly<Record<Errand['kind'], number>> = {
  put: 0,
  delete: 1,
  efficacy: 2,
  observe: 3,
  list: 4,
  config: 5,
  'config-change': 5
}

/**
 * So many copies of a PUT or DELETE go out back to back: with them, the server has it for all but certain even when it
 * loses half. What is missing then is its answer, so that others may take every other turn; withdrawals above all must not
 * keep every turn from what is still to be protected.
 */
const COPIES_BACK_TO_BACK = 8

/** How urgent an errand is after so many sendings without an answer; less is more urgent. */
export function errandPriority({ kind }: Errand, sendings: number): number {
  const isRequest = kind === 'put' || kind === 'delete'
  return isRequest && sendings >= COPIES_BACK_TO_BACK ? PRIORITY.list : PRIORITY[kind]
}

/** RFC 9132 §4.4: mitigation requests are never held back by a heartbeat. */
export const HEARTBEAT_PRIORITY = 6

export function errandKey(errand: Errand): string {
  return 'mitigationId' in errand ? `${errand.kind}:${errand.mitigationId}` : errand.kind
}

const NOTHING = new Uint8Array(0)
const contentFormat = uintOption(OptionNumber.contentFormat, CONTENT_FORMAT_DOTS_CBOR)

/** RFC 9132 §4.4.1.1, Figure 5. */
export function putRequest(
  cuid: Cuid,
  id: MitigationId,
  target: Target,
  lifetime: Lifetime,
  trigger: Trigger = 'immediate'
): CoapRequest {
  const payload = encodeSignal(mitigationRequestBody(target, lifetime, trigger))
  return { method: Method.put, options: [...mitigatePath(cuid, id), contentFormat], payload }
}

/** RFC 9132 §4.4.4, Figure 17. */
export function deleteRequest(cuid: Cuid, id: MitigationId): CoapRequest {
  return { method: Method.delete, options: mitigatePath(cuid, id), payload: NOTHING }
}

/** RFC 9132 §4.4 has these repeated, and lets them wait for nothing else. */
export function isMitigationRequest({ kind }: Errand): boolean {
  return kind === 'put' || kind === 'delete' || kind === 'efficacy'
}

/** What stays open for notifications. */
export function isObserved({ kind }: Errand): boolean {
  return kind === 'observe' || kind === 'list' || kind === 'config'
}

/** RFC 9132 §4.5: what concerns the configuration of a session is Confirmable, and of that session alone. */
export function isAboutSession(
  errand: Errand
): errand is Extract<Errand, { kind: 'config' | 'config-change' }> {
  return errand.kind === 'config' || errand.kind === 'config-change'
}

/** RFC 9132 §4.5.1, Figure 18, and §4.5.3: with the sid it refreshes what was agreed. Observed (§4.4.2.1, §4.5.3). */
export function configQuestion(sid: number | undefined): CoapRequest {
  return {
    method: Method.get,
    options: [uintOption(OptionNumber.observe, 0), ...configPath(sid)],
    payload: NOTHING
  }
}

/** RFC 9132 §4.5.2, Figure 21. */
export function configProposal(sid: number, body: SignalMessage): CoapRequest {
  return { method: Method.put, options: [...configPath(sid), contentFormat], payload: encodeSignal(body) }
}

/** RFC 9132 §4.5.4: without a sid, whatever there is goes back to the defaults. */
export function configDeletion(): CoapRequest {
  return { method: Method.delete, options: configPath(), payload: NOTHING }
}

/**
 * RFC 9132 §4.4.3, Figure 16: the request again, under an If-Match without a value, with what we see of the attack. It
 * counts as a refresh, so it names a lifetime.
 */
export function efficacyRequest(
  cuid: Cuid,
  id: MitigationId,
  target: Target,
  lifetime: Lifetime,
  attackStatus: AttackStatus
): CoapRequest {
  const payload = encodeSignal(efficacyUpdateBody(target, lifetime, attackStatus))
  const ifMatch = { number: OptionNumber.ifMatch, value: NOTHING }
  return { method: Method.put, options: [ifMatch, ...mitigatePath(cuid, id), contentFormat], payload }
}

/**
 * RFC 9132 §4.4.2.1: GET with Observe 0; of what changes only (`c=n`), which keeps the answers small while the attack is
 * on (RFC 9132 §4.4.2).
 */
export function observeRequest(cuid: Cuid, id: MitigationId): CoapRequest {
  const options = [uintOption(OptionNumber.observe, 0), ...mitigatePath(cuid, id), contentQuery('state')]
  return { method: Method.get, options, payload: NOTHING }
}

/**
 * RFC 9132 §4.4.2: without a mid, everything of our cuid. Observed, so that the server's word on what is asked later comes
 * even where the answer to the PUT is lost.
 */
export function listRequest(cuid: Cuid): CoapRequest {
  const options = [uintOption(OptionNumber.observe, 0), ...mitigatePath(cuid)]
  return { method: Method.get, options, payload: NOTHING }
}
