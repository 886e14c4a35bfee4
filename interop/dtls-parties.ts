import { ipv4 } from '@breakwater/core'
import type {
  PlaintextBatch,
  SecureEndpoint,
  SecureEndpointHandlers,
  ServerEndpointOptions,
  SessionEvent,
  SocketAddress
} from '@breakwater/core'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { TestAuthority } from '../packages/dtls/test/pki.ts'

export const loopback: SocketAddress = { address: ipv4(0x7f000001), port: 0 }
export const pskIdentity = 'site-1'
export const psk: Uint8Array = Buffer.from('a key of 16 byte')

/** Answers every plaintext by what `answer` makes of it; keeps the events. */
export class Responder implements SecureEndpointHandlers {
  readonly events: SessionEvent[] = []
  readonly #answer: (plaintext: Uint8Array) => Uint8Array | undefined
  endpoint: SecureEndpoint | undefined

  constructor(answer: (plaintext: Uint8Array) => Uint8Array | undefined) {
    this.#answer = answer
  }

  readonly onBatch = (batch: PlaintextBatch): void => {
    for (let index = 0; index < batch.count; index++) {
      const answer = this.#answer(batch.bytes(index))
      if (answer !== undefined) this.endpoint?.send(batch.peer(index), answer)
    }
  }

  readonly onSession = (event: SessionEvent): void => void this.events.push(event)
}

/** A DTLS server of ours for certificates of `authority` and for one pre-shared key. */
export async function openResponder(
  authority: TestAuthority,
  answer: (plaintext: Uint8Array) => Uint8Array | undefined,
  more: Partial<ServerEndpointOptions> = {}
): Promise<Responder & { readonly endpoint: SecureEndpoint }> {
  const responder = new Responder(answer)
  const endpoint = await openDtlsEndpoint(
    {
      role: 'server',
      local: loopback,
      certificate: authority.credentials('server.example'),
      preSharedKeys: new Map([[pskIdentity, psk]]),
      ...more
    },
    responder
  )
  return Object.assign(responder, { endpoint })
}

export { TestAuthority }
