import { describe, expect, test } from 'vitest'
import {
  Code,
  formatCode,
  formatMethod,
  isClientError,
  isRequest,
  isResponse,
  isServerError,
  isSuccess
} from '../src/index.ts'

describe('codes', () => {
  test.each([
    ['empty', '0.00'],
    ['created', '2.01'],
    ['deleted', '2.02'],
    ['valid', '2.03'],
    ['changed', '2.04'],
    ['content', '2.05'],
    ['continue', '2.31'],
    ['badRequest', '4.00'],
    ['unauthorized', '4.01'],
    ['badOption', '4.02'],
    ['forbidden', '4.03'],
    ['notFound', '4.04'],
    ['methodNotAllowed', '4.05'],
    ['notAcceptable', '4.06'],
    ['requestEntityIncomplete', '4.08'],
    ['conflict', '4.09'],
    ['preconditionFailed', '4.12'],
    ['requestEntityTooLarge', '4.13'],
    ['unsupportedContentFormat', '4.15'],
    ['unprocessableEntity', '4.22'],
    ['tooManyRequests', '4.29'],
    ['internalServerError', '5.00'],
    ['notImplemented', '5.01'],
    ['badGateway', '5.02'],
    ['serviceUnavailable', '5.03'],
    ['gatewayTimeout', '5.04'],
    ['proxyingNotSupported', '5.05'],
    ['hopLimitReached', '5.08']
  ] as const)('%s is %s', (name, text) => {
    expect(formatCode(Code[name])).toBe(text)
  })

  test('every code is of one kind at most', () => {
    for (let code = 0; code < 256; code++) {
      const family = code >> 5
      expect(isRequest(code)).toBe(family === 0 && code !== 0)
      expect(isResponse(code)).toBe(family >= 2 && family <= 5)
      expect([isSuccess(code), isClientError(code), isServerError(code)]).toEqual(
        [2, 4, 5].map((kind) => kind === family)
      )
    }
  })

  test('methods have names', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 31].map(formatMethod)).toEqual([
      'GET',
      'POST',
      'PUT',
      'DELETE',
      'FETCH',
      'PATCH',
      'iPATCH',
      '0.08',
      '0.31'
    ])
  })
})
