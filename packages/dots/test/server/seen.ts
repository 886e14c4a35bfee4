import { OptionNumber, readBlock } from '@breakwater/coap'
import type { CoapResponse } from '@breakwater/coap'
import { decodeSignal } from '@breakwater/model'
import type { MitigationScopeEntry, SignalMessage } from '@breakwater/model'

/** A response as tests look at it. */
export interface Seen {
  /** `2.01` */
  readonly code: string
  /** The DOTS body, where Content-Format says that it is one. */
  readonly body: SignalMessage | undefined
  /** The diagnostic, where it is not. */
  readonly text: string
  readonly response: CoapResponse
}

export function see(response: CoapResponse): Seen {
  const isBlock = readBlock(response.options, OptionNumber.block2) !== undefined
  const isDots = !isBlock && response.options.some(({ number }) => number === OptionNumber.contentFormat)
  return {
    code: `${response.code >> 5}.${String(response.code & 31).padStart(2, '0')}`,
    body: isDots ? decodeSignal(response.payload) : undefined,
    text: isDots || isBlock ? '' : new TextDecoder('utf-8', { fatal: true }).decode(response.payload),
    response
  }
}

/** The scope entry of a response that has one. */
export function entryOf(seen: Seen | undefined): MitigationScopeEntry {
  const [entry] = seen?.body?.mitigationScope?.scope ?? []
  if (entry === undefined) throw new Error(`no scope in ${seen?.code ?? 'no answer'} ${seen?.text ?? ''}`)
  return entry
}

/** The one answer that a request must have had. */
export function only(answers: readonly Seen[]): Seen {
  const [answer] = answers
  if (answer === undefined || answers.length !== 1) throw new Error(`${answers.length} answers`)
  return answer
}
