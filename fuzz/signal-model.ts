import { isDeepStrictEqual } from 'node:util'
import { DecodeError, equalBytes } from '@breakwater/core'
import { decodeSignal, encodeSignal } from '@breakwater/model'
import type { SignalMessage } from '@breakwater/model'

/** Feeds arbitrary bytes as a signal channel message; what decodes must survive the way out and in again. */
export const target = {
  name: 'signal-model',
  run(bytes: Uint8Array): void {
    const message = decodeOrUndefined(bytes)
    if (message === undefined) return
    const written = encodeSignal(message)
    const again = decodeSignal(written)
    if (!isDeepStrictEqual(again, message)) throw new Error('the message changed on its way out and in')
    if (!equalBytes(encodeSignal(again), written)) throw new Error('one message has two encodings')
  }
}

function decodeOrUndefined(bytes: Uint8Array): SignalMessage | undefined {
  try {
    return decodeSignal(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
