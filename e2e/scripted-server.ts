import { decodeMessage, encodeMessage, isRequest, Method, readUriPath } from '@breakwater/coap'
import type { CoapMessage, CoapOption } from '@breakwater/coap'
import type { PeerId, SecureEndpoint } from '@breakwater/core'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { loopback } from './raw-peer.ts'

/** One request that a client sent. */
export interface SeenRequest {
  readonly method: number
  readonly path: string
  readonly message: CoapMessage
  readonly at: number
}

/** What a script says to a request that is no heartbeat. */
export interface Reply {
  /** Answers with the token of the request, or with this one. */
  answer(code: number, payload?: Uint8Array, options?: readonly CoapOption[], token?: Uint8Array): void
  /** Any plaintext. */
  raw(bytes: Uint8Array): void
  /** Ends the session. */
  close(): void
}

export type Script = (request: SeenRequest, reply: Reply) => void

const NOTHING = new Uint8Array(0)

/** A DTLS server that speaks CoAP as its script wants. It answers heartbeats as it should. */
export class ScriptedServer {
  readonly seen: SeenRequest[] = []
  /** All that came and is no request. */
  readonly answers: CoapMessage[] = []
  sessions = 0
  script: Script
  /** Said to each new session. */
  greeting: ((reply: Reply) => void) | undefined
  #endpoint: SecureEndpoint | undefined
  #nextId = 1

  static async open(identity: string, key: Uint8Array, script: Script): Promise<ScriptedServer> {
    const server = new ScriptedServer(script)
    server.#endpoint = await openDtlsEndpoint(
      { role: 'server', local: loopback(0), preSharedKeys: new Map([[identity, key]]) },
      {
        onBatch: (batch) => {
          for (let index = 0; index < batch.count; index++)
            server.#receive(batch.peer(index), batch.bytes(index).slice())
        },
        onSession: (event) => {
          if (event.kind !== 'established') return
          server.sessions++
          server.greeting?.(server.#replyTo(event.peer, NOTHING))
        }
      }
    )
    return server
  }

  private constructor(script: Script) {
    this.script = script
  }

  get port(): number {
    return this.#endpoint?.local.port ?? 0
  }

  /** Requests of one method on mitigations. */
  mitigationRequests(method: number): SeenRequest[] {
    return this.seen.filter((request) => request.method === method && request.path.includes('/mitigate'))
  }

  async close(): Promise<void> {
    await this.#endpoint?.destroy()
  }

  #receive(peer: PeerId, bytes: Uint8Array): void {
    const message = decodeMessage(bytes)
    if (!isRequest(message.code)) {
      this.answers.push(message)
      return
    }
    const path = `/${readUriPath(message.options).join('/')}`
    const request = { method: message.code, path, message, at: performance.now() }
    const reply = this.#replyTo(peer, message.token)
    if (path === '/.well-known/dots/hb') {
      if (message.code === Method.put) reply.answer(0x44)
      return
    }
    this.seen.push(request)
    this.script(request, reply)
  }

  #replyTo(peer: PeerId, requestToken: Uint8Array): Reply {
    const raw = (bytes: Uint8Array): void => void this.#endpoint?.send(peer, bytes)
    return {
      raw,
      close: () => this.#endpoint?.close(peer),
      answer: (code, payload = NOTHING, options = [], token = requestToken) =>
        raw(
          encodeMessage({
            type: 'non-confirmable',
            code,
            messageId: this.#nextId++ & 0xffff,
            token,
            options,
            payload
          })
        )
    }
  }
}
