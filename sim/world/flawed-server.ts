import { Code, Method, decodeMessage, encodeMessage } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import type { OpenSecureEndpoint, PlaintextBatch, SecureEndpoint } from '@breakwater/core'
import { pathText } from '@breakwater/dots'

/** Opens endpoints that say yes to every PUT on `/config`, of which their server never hears. */
export function forgetful(open: OpenSecureEndpoint): OpenSecureEndpoint {
  return async (options, handlers) => {
    const endpoint: SecureEndpoint = await open(options, {
      ...handlers,
      onBatch: (batch) => handlers.onBatch(withoutProposals(batch, (index) => agree(endpoint, batch, index)))
    })
    return endpoint
  }
}

function withoutProposals(batch: PlaintextBatch, answer: (index: number) => void): PlaintextBatch {
  const others: number[] = []
  for (let index = 0; index < batch.count; index++)
    if (isProposal(decodeMessage(batch.bytes(index)))) answer(index)
    else others.push(index)
  const at = (index: number): number => others[index] ?? batch.count
  return {
    count: others.length,
    peer: (index) => batch.peer(at(index)),
    bytes: (index) => batch.bytes(at(index))
  }
}

function isProposal({ code, options }: CoapMessage): boolean {
  return code === Method.put && pathText(options).startsWith('/.well-known/dots/config')
}

/** By the acknowledgement: what concerns a configuration is Confirmable. */
function agree(endpoint: SecureEndpoint, batch: PlaintextBatch, index: number): void {
  const { messageId, token } = decodeMessage(batch.bytes(index))
  const message = { type: 'acknowledgement', code: Code.created, messageId, token } as const
  endpoint.send(batch.peer(index), encodeMessage({ ...message, options: [], payload: new Uint8Array(0) }))
}
