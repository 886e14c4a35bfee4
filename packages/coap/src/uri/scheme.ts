/** A URI scheme of CoAP (RFC 7252 §6.1, §6.2; RFC 8323 §8.1 to §8.4). */
export type CoapScheme = 'coap' | 'coaps' | 'coap+tcp' | 'coaps+tcp' | 'coap+ws' | 'coaps+ws'

/** What a scheme says of itself. */
export interface SchemeDefinition {
  readonly defaultPort: number
  /** Whether the messages must be secured: by DTLS, or TLS. */
  readonly isSecured: boolean
}

const schemes: Readonly<Record<CoapScheme, SchemeDefinition>> = {
  coap: { defaultPort: 5683, isSecured: false },
  coaps: { defaultPort: 5684, isSecured: true },
  'coap+tcp': { defaultPort: 5683, isSecured: false },
  'coaps+tcp': { defaultPort: 5684, isSecured: true },
  'coap+ws': { defaultPort: 80, isSecured: false },
  'coaps+ws': { defaultPort: 443, isSecured: true }
}

/** What RFC 7252 §6 and RFC 8323 §8 say of a scheme. */
export function schemeDefinition(scheme: CoapScheme): SchemeDefinition {
  return schemes[scheme]
}

/** Upper case or lower (RFC 3986 §3.1); undefined when it is none of CoAP's. */
export function readScheme(text: string): CoapScheme | undefined {
  const lower = text.toLowerCase()
  return isScheme(lower) ? lower : undefined
}

function isScheme(text: string): text is CoapScheme {
  return Object.hasOwn(schemes, text)
}
