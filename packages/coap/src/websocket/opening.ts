import { DecodeError, formatIpAddress } from '@breakwater/core'
import type { CoapUri } from '../uri/parse-uri.ts'
import { schemeDefinition } from '../uri/scheme.ts'

/** RFC 8323 §4.1, §11.6: the name that both ends must have agreed on in their handshake. */
export const WEBSOCKET_SUBPROTOCOL = 'coap'

/** RFC 8323 §8.3: where the WebSocket endpoint of a host is. */
export const WEBSOCKET_PATH = '/.well-known/coap'

/** What a WebSocket client is called with: `new WebSocket(url, protocols)`. */
export interface WebSocketOpening {
  readonly url: string
  readonly protocols: readonly string[]
}

/**
 * How to reach the host of a `coap+ws` or `coaps+ws` URI (RFC 8323 §8.3, §8.4, §4.1). The connection is of use only when the
 * server chose `WEBSOCKET_SUBPROTOCOL`.
 * @throws DecodeError `COAP_URI_INVALID` on another scheme.
 */
export function webSocketOpening({ scheme, host, port }: CoapUri): WebSocketOpening {
  if (scheme !== 'coap+ws' && scheme !== 'coaps+ws')
    throw new DecodeError('COAP_URI_INVALID', `${scheme} is not for WebSockets`)
  const { isSecured, defaultPort } = schemeDefinition(scheme)
  const text = typeof host === 'string' ? host : formatIpAddress(host)
  const authority = typeof host !== 'string' && host.family === 6 ? `[${text}]` : text
  const portText = port === defaultPort ? '' : `:${port}`
  return {
    url: `${isSecured ? 'wss' : 'ws'}://${authority}${portText}${WEBSOCKET_PATH}`,
    protocols: [WEBSOCKET_SUBPROTOCOL]
  }
}
