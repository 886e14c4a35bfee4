import { isDeepStrictEqual } from 'node:util'
import { DecodeError, equalBytes } from '@breakwater/core'
import { decodeSignal, encodeSignal } from '@breakwater/model'
import type { SignalMessage } from '@breakwater/model'

/** Feeds arbitrary bytes as a signal channel message; what decodes must survive the way out and in again. */
export const target = {
  name: 'signal-model',
  seeds: [
    encodeSignal({ heartbeat: { peerHbStatus: true } }),
    encodeSignal({
      mitigationScope: {
        scope: [
          {
            targetPrefix: ['2001:db8::/32', '192.0.2.0/24'],
            targetPortRange: [{ lowerPort: 80, upperPort: 443 }],
            targetProtocol: [6],
            targetFqdn: ['www.example.com'],
            targetUri: ['https://example.com/'],
            aliasName: ['web'],
            lifetime: -1,
            status: 2,
            bytesDropped: 2n ** 60n,
            conflictInformation: { conflictCause: 2, conflictScope: { aclList: [{ aclName: 'a' }] } }
          }
        ]
      }
    }),
    encodeSignal({
      signalConfig: {
        mitigatingConfig: { heartbeatInterval: { currentValue: 30 }, ackTimeout: { currentValueDecimal: 2 } }
      }
    }),
    encodeSignal({
      redirectedSignal: { altServer: 'alt.example', altServerRecord: ['192.0.2.1', '2001:db8::1'] }
    })
  ],
  run(bytes: Uint8Array): string {
    const message = decodeOrCode(bytes)
    if (typeof message === 'string') return message
    const written = encodeSignal(message)
    const again = decodeSignal(written)
    if (!isDeepStrictEqual(again, message)) throw new Error('the message changed on its way out and in')
    if (!equalBytes(encodeSignal(again), written)) throw new Error('one message has two encodings')
    return Object.keys(message).join(' ')
  }
}

function decodeOrCode(bytes: Uint8Array): SignalMessage | string {
  try {
    return decodeSignal(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return error.code
    throw error
  }
}
