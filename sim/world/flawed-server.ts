import { Code, Method, decodeMessage, encodeMessage } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import type {
  OpenSecureEndpoint,
  PeerId,
  PlaintextBatch,
  SecureEndpoint,
  SecureEndpointHandlers
} from '@breakwater/core'
import { mitigatePath, pathText } from '@breakwater/dots'
import type { MitigationSnapshot } from '@breakwater/dots'

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

/** Lets a server hear a withdrawal that its client never sent. */
export class FalseWithdrawals {
  readonly #listeners = new Set<SecureEndpointHandlers>()
  #messageId = 0

  opener(open: OpenSecureEndpoint): OpenSecureEndpoint {
    return (options, handlers) => {
      this.#listeners.add(handlers)
      return open(options, handlers)
    }
  }

  /** @param peer A session of the client over UDP. */
  hear(peer: PeerId, { cuid, mitigationId }: MitigationSnapshot): void {
    const bytes = encodeMessage({
      type: 'non-confirmable',
      code: Method.delete,
      messageId: this.#messageId++,
      token: Uint8Array.of(0),
      options: mitigatePath(cuid, mitigationId),
      payload: new Uint8Array(0)
    })
    // Who the peer is, is known to the server; by which endpoint it comes does not matter.
    const [handlers] = this.#listeners
    handlers?.onBatch({ count: 1, peer: () => peer, bytes: () => bytes })
  }
}
