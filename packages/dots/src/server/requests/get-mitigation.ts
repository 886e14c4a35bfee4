import { Code, OptionNumber, readUint } from '@breakwater/coap'
import type { Instant } from '@breakwater/core'
import type { MitigationScopeEntry } from '@breakwater/model'
import type { MitigationId } from '../../domain/identifier.ts'
import { MAXIMUM_BODY_BYTES } from '../../signal/block-transfer.ts'
import { parseContent, selectContent } from '../../signal/content.ts'
import type { ClientState } from '../client-state.ts'
import { NOT_TO_BE_KEPT, observedMaxAge } from './freshness.ts'
import type { Mitigation } from '../mitigations/mitigation.ts'
import { OBSERVE } from '../observation/observation.ts'
import type { Observations } from '../observation/observation.ts'
import type { ServerRequest } from './request.ts'
import { dotsResponse, refusal, tooLarge } from './response.ts'
import type { Answer } from './response.ts'

/** Tells a client of one of its mitigations or of all (RFC 9132 §4.4.2), and from then on if it wants (§4.4.2.1). */
export class GetMitigation {
  readonly #observations: Observations
  readonly #describe: (mitigation: Mitigation, now: Instant) => MitigationScopeEntry

  constructor(
    observations: Observations,
    describe: (mitigation: Mitigation, now: Instant) => MitigationScopeEntry
  ) {
    this.#observations = observations
    this.#describe = describe
  }

  /** @param client Undefined: nothing is known of the cuid, or it is not the asker's own. */
  answer(
    request: ServerRequest,
    client: ClientState | undefined,
    id: MitigationId | undefined,
    now: Instant
  ): Answer {
    const content = parseContent(request.coap.options)
    if (!content.ok) return refusal(content.problem)
    const found = client === undefined ? [] : select(client, id)
    if (client === undefined || found.length === 0) return notFound(id)
    const message = {
      mitigationScope: { scope: found.map((each) => selectContent(this.#describe(each, now), content.value)) }
    }
    const plain = dotsResponse(Code.content, message)
    if (plain.payload.length > MAXIMUM_BODY_BYTES) return tooLarge(found.length, plain.payload.length)
    const { session, exchange, coap } = request
    const observe =
      readUint(coap.options, OptionNumber.observe) === 0 &&
      this.#observations.add(session, exchange, client, id ?? 'all', content.value)
    const about = observe ? [OBSERVE, observedMaxAge(session.parameters)] : [NOT_TO_BE_KEPT]
    return { response: dotsResponse(Code.content, message, about), outcome: 'answered' }
  }
}

function select(client: ClientState, id: MitigationId | undefined): readonly Mitigation[] {
  if (id === undefined) return [...client.mitigations.values()]
  const mitigation = client.mitigations.get(id)
  return mitigation === undefined ? [] : [mitigation]
}

function notFound(id: MitigationId | undefined): Answer {
  return refusal({
    code: 'DOTS_SERVER_MITIGATION_UNKNOWN',
    answer: Code.notFound,
    diagnostic:
      id === undefined ? 'this cuid has no mitigations' : `this cuid has no mitigation with mid ${id}`
  })
}
