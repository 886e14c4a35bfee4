import {
  BreakwaterError,
  ConfigError,
  DecodeError,
  InternalError,
  ProtocolError,
  RejectedError,
  UnavailableError
} from '@breakwater/core'
import { expect, test } from 'vitest'

const cause = new Error('why')

test.each([
  ['DecodeError', new DecodeError('X_CODE', 'what', { cause }), {}],
  [
    'ProtocolError',
    new ProtocolError('X_CODE', 'what', 0x80, 'RFC 9132 §4.4.1', { cause }),
    { answer: 0x80, source: 'RFC 9132 §4.4.1' }
  ],
  ['RejectedError', new RejectedError('X_CODE', 'what', 0x83, { cause }), { answer: 0x83 }],
  ['UnavailableError', new UnavailableError('X_CODE', 'what', true, { cause }), { retryable: true }],
  [
    'ConfigError',
    new ConfigError('X_CODE', 'what', [{ path: 'a.b', message: 'no' }], { cause }),
    { problems: [{ path: 'a.b', message: 'no' }] }
  ],
  ['InternalError', new InternalError('X_CODE', 'what', { cause }), {}]
])('%s carries its name, code, cause and what its family adds', (name, error, extra) => {
  expect(error).toBeInstanceOf(BreakwaterError)
  expect(error).toMatchObject({ name, code: 'X_CODE', message: 'what', ...extra })
  expect(error.cause).toBe(cause)
  expect(String(error)).toBe(`${name}: what`)
})
