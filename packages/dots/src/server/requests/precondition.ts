import { Code, OptionNumber } from '@breakwater/coap'
import type { CoapRequest } from '@breakwater/coap'
import { IGNORED, refusal } from './response.ts'
import type { Answer } from './response.ts'

/** Whether a request stands under If-Match. The number is the lowest there is, so it comes first. */
export function isConditional({ options }: CoapRequest): boolean {
  return options[0]?.number === OptionNumber.ifMatch
}

/**
 * Why a condition cannot hold here. An empty value asks that there is something (RFC 7252 §5.10.8.1); any other names a
 * version by its ETag, and we give none to mitigations.
 */
export function unmetCondition({ options }: CoapRequest): Answer | undefined {
  if (options.some(({ number, value }) => number === OptionNumber.ifMatch && value.length === 0))
    return undefined
  return refusal({
    code: 'DOTS_SERVER_IF_MATCH_UNMET',
    answer: Code.preconditionFailed,
    diagnostic: 'there are no versions of mitigations; only an empty value can match (If-Match)'
  })
}

/**
 * If-Match is understood in efficacy updates only (RFC 9132 §4.4.3): elsewhere it is a critical option like any other that
 * is not, with 4.02 for a Confirmable request and silence for a Non-confirmable one (RFC 7252 §5.4.1, §4.3).
 */
export function conditionNotOffered(confirmable: boolean): Answer {
  return confirmable
    ? refusal({
        code: 'DOTS_SERVER_IF_MATCH_NOT_OFFERED',
        answer: Code.badOption,
        diagnostic: 'If-Match is critical and not supported here'
      })
    : IGNORED
}
