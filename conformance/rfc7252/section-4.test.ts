import { Code, encodeMessage, Method, uriPath } from '@breakwater/coap'
import { describe, expect, test } from 'vitest'

import { Lockstep } from '../../packages/coap/test/lockstep.ts'

const nothing = new Uint8Array(0)

describe('RFC 7252 §4: messages', () => {
  test('no Empty Non-confirmable message can be sent [RFC7252-4.3-M01]', () => {
    const empty = { code: Code.empty, messageId: 1, token: nothing, options: [], payload: nothing }
    expect(() => encodeMessage({ ...empty, type: 'non-confirmable' })).toThrow('Empty')
    expect(() => encodeMessage({ ...empty, type: 'confirmable' })).not.toThrow()
    expect(() => encodeMessage({ ...empty, type: 'non-confirmable', code: Method.get })).not.toThrow()
  })

  test('with block-wise transfer in its default size no payload is above 1024 bytes, no message above 1152 [RFC7252-4.6-S01] [RFC7252-4.6-S02]', () => {
    const session = new Lockstep({ blockwise: { maximumBodyBytes: 100_000, preferredSize: 1024 } })
    session.request(1, Method.put, 'a-path-of-some-length', { payload: new Uint8Array(5000) })
    session.receive('CON [0001] GET (0102030405060708) /x')
    session.respond(1, Code.content, new Uint8Array(5000), { options: uriPath() })
    expect(session.sent).toHaveLength(2)
    for (const bytes of session.sent) {
      expect(bytes.length).toBeGreaterThan(1024)
      expect(bytes.length).toBeLessThanOrEqual(1152)
    }
  })
})
