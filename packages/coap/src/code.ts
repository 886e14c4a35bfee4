/**
 * Codes of messages, `c.dd` in one byte: class × 32 + detail (RFC 7252 §3, §12.1; 4.09 and 4.22: RFC 8132; 4.08 and 2.31:
 * RFC 7959; 4.29: RFC 8516; 5.08: RFC 8768). Request codes: `Method`.
 */
export const Code = {
  empty: 0x00,
  created: 0x41,
  deleted: 0x42,
  valid: 0x43,
  changed: 0x44,
  content: 0x45,
  continue: 0x5f,
  badRequest: 0x80,
  unauthorized: 0x81,
  badOption: 0x82,
  forbidden: 0x83,
  notFound: 0x84,
  methodNotAllowed: 0x85,
  notAcceptable: 0x86,
  requestEntityIncomplete: 0x88,
  conflict: 0x89,
  preconditionFailed: 0x8c,
  requestEntityTooLarge: 0x8d,
  unsupportedContentFormat: 0x8f,
  unprocessableEntity: 0x96,
  tooManyRequests: 0x9d,
  internalServerError: 0xa0,
  notImplemented: 0xa1,
  badGateway: 0xa2,
  serviceUnavailable: 0xa3,
  gatewayTimeout: 0xa4,
  proxyingNotSupported: 0xa5,
  hopLimitReached: 0xa8
} as const

/** The `c` of `c.dd`: 0 … 7. */
export function codeClass(code: number): number {
  return code >> 5
}

/** 0.01 … 0.31, known methods or not. */
export function isRequest(code: number): boolean {
  return code > 0 && code < 32
}

/** 2.00 … 5.31, registered or not (RFC 7252 §12.1). */
export function isResponse(code: number): boolean {
  const family = codeClass(code)
  return family >= 2 && family <= 5
}

/** 2.xx. */
export function isSuccess(code: number): boolean {
  return codeClass(code) === 2
}

/** 4.xx. */
export function isClientError(code: number): boolean {
  return codeClass(code) === 4
}

/** 5.xx. */
export function isServerError(code: number): boolean {
  return codeClass(code) === 5
}

/** `formatCode(0x45)` is `2.05`. */
export function formatCode(code: number): string {
  return `${codeClass(code)}.${String(code & 0x1f).padStart(2, '0')}`
}
