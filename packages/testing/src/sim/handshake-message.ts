import { decodeUtf8, DecodeError, encodeUtf8 } from '@breakwater/core'

/** The messages of a DTLS 1.2 handshake (RFC 6347 §4.2.4, Figure 1), one for each flight. */
export type HandshakeMessage =
  /** Flight 1, and flight 3 with the cookie. */
  | { readonly kind: 'client-hello'; readonly cookie: string; readonly offers: Mechanism }
  /** Flight 2. */
  | { readonly kind: 'hello-verify-request'; readonly cookie: string }
  /** Flight 4. The certificate is empty where the mechanism is a key. */
  | { readonly kind: 'server-hello'; readonly mechanism: Mechanism; readonly certificate: string }
  /** Flight 5. `pskIdentity` or `certificate` is empty; `finished` proves the key. */
  | {
      readonly kind: 'client-finished'
      readonly certificate: string
      readonly pskIdentity: string
      readonly finished: string
    }
  /** Flight 6. */
  | { readonly kind: 'server-finished'; readonly finished: string }

export type Mechanism = 'certificate' | 'psk'

/** Alerts of RFC 5246 §7.2 and RFC 4279 §2 that a simulated endpoint sends. All but the first are fatal. */
export type Alert =
  | 'close_notify'
  | 'bad_certificate'
  | 'certificate_expired'
  | 'unknown_psk_identity'
  | 'handshake_failure'
  | 'internal_error'
  | 'user_canceled'

const alerts: readonly Alert[] = [
  'close_notify',
  'bad_certificate',
  'unknown_psk_identity',
  'handshake_failure',
  'internal_error',
  'user_canceled',
  'certificate_expired'
]

export function encodeHandshake(message: HandshakeMessage): Uint8Array {
  return encodeUtf8(JSON.stringify(message))
}

/** The message; undefined when the bytes are none. */
export function decodeHandshake(bytes: Uint8Array): HandshakeMessage | undefined {
  const fields = textFields(bytes)
  const text = (name: string): string => fields?.get(name) ?? ''
  const mechanism = (name: string): Mechanism => (text(name) === 'psk' ? 'psk' : 'certificate')
  switch (text('kind')) {
    case 'client-hello':
      return { kind: 'client-hello', cookie: text('cookie'), offers: mechanism('offers') }
    case 'hello-verify-request':
      return { kind: 'hello-verify-request', cookie: text('cookie') }
    case 'server-hello':
      return { kind: 'server-hello', mechanism: mechanism('mechanism'), certificate: text('certificate') }
    case 'client-finished': {
      const [certificate, pskIdentity, finished] = [
        text('certificate'),
        text('pskIdentity'),
        text('finished')
      ]
      return { kind: 'client-finished', certificate, pskIdentity, finished }
    }
    case 'server-finished':
      return { kind: 'server-finished', finished: text('finished') }
    default:
      return undefined
  }
}

export function encodeAlert(alert: Alert): Uint8Array {
  return encodeUtf8(alert)
}

export function decodeAlert(bytes: Uint8Array): Alert | undefined {
  return alerts.find((alert) => alert === textOf(bytes))
}

/** The members of a JSON object that are texts. */
function textFields(bytes: Uint8Array): ReadonlyMap<string, string> | undefined {
  const parsed = parsedJson(textOf(bytes))
  if (typeof parsed !== 'object' || parsed === null) return undefined
  return new Map(
    Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  )
}

function parsedJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decodeUtf8(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
