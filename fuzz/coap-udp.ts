import { isDeepStrictEqual } from 'node:util'

import {
  Code,
  CoapSession,
  decodeMessage,
  defaultParameters,
  encodeMessage,
  Method,
  uintOption,
  uriPath
} from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import { DecodeError, Instant, Seconds } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'

import type { FuzzTarget } from './target.ts'

const nothing = new Uint8Array(0)
const response = { code: Code.content, options: [], payload: Uint8Array.of(1) }

/** One datagram from a stranger: the decoder, the way back, and a session that has never heard of the peer. */
export const target: FuzzTarget = {
  name: 'coap-udp',
  run(bytes) {
    const happened = decodeAndReturn(bytes)
    converse(bytes)
    return happened
  },
  seeds: seeds()
}

function decodeAndReturn(bytes: Uint8Array): string {
  let message: CoapMessage
  try {
    message = decodeMessage(bytes)
  } catch (error) {
    if (error instanceof DecodeError && error.code.startsWith('COAP_')) return error.code
    throw error
  }
  const again = decodeMessage(encodeMessage(message))
  if (!isDeepStrictEqual(again, message)) throw new Error('decode(encode(message)) is another message')
  return `${message.type} ${message.code} ${message.options.length}`
}

/** Twice the same datagram: the second must never reach the application. */
function converse(bytes: Uint8Array): void {
  const session = new CoapSession({ parameters: defaultParameters, entropy: seededEntropy(1) })
  let now = Instant(0)
  let requests = 0
  const drain = (): void => {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.kind === 'send') decodeMessage(output.bytes)
      if (output.kind !== 'request') continue
      requests++
      session.handle({ kind: 'respond', exchange: output.exchange, response }, now)
    }
  }
  for (let copy = 0; copy < 2; copy++) {
    session.handle({ kind: 'datagram', bytes }, now)
    drain()
  }
  if (requests > 1) throw new Error('a copy reached the application')
  for (let wakeUps = 0; session.nextTimeout() !== undefined; wakeUps++) {
    if (wakeUps > 100) throw new Error('the session never comes to rest')
    now = Instant(Math.max(now + Seconds(1), session.nextTimeout() ?? 0))
    session.handleTimeout(now)
    drain()
  }
}

function seeds(): Uint8Array[] {
  const token = Uint8Array.of(1, 2, 3, 4)
  const path = uriPath('.well-known', 'dots', 'mitigate')
  const payload = Uint8Array.of(0xa1, 0x01, 0x02)
  return [
    encodeMessage({
      type: 'confirmable',
      code: 0,
      messageId: 7,
      token: nothing,
      options: [],
      payload: nothing
    }),
    encodeMessage({
      type: 'non-confirmable',
      code: Method.put,
      messageId: 8,
      token,
      options: [...path, uintOption(12, 271)],
      payload
    }),
    encodeMessage({
      type: 'confirmable',
      code: Method.get,
      messageId: 9,
      token,
      options: [uintOption(6, 0), ...path, uintOption(9999, 5)],
      payload: nothing
    }),
    encodeMessage({
      type: 'acknowledgement',
      code: Code.content,
      messageId: 10,
      token,
      options: [uintOption(6, 300), uintOption(14, 60)],
      payload
    })
  ]
}
