import { Code, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapResponse } from '@breakwater/coap'
import { encodeUtf8 } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import type { MitigationScopeEntry } from '@breakwater/model'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readPutAnswer, readReports } from '../../../src/client/requests/answer.ts'

const format = uintOption(OptionNumber.contentFormat, 271)

function scoped(code: number, ...scope: MitigationScopeEntry[]): CoapResponse {
  return { code, options: [format], payload: encodeSignal({ mitigationScope: { scope } }) }
}

function plain(code: number, text: string): CoapResponse {
  return { code, options: [], payload: encodeUtf8(text) }
}

describe('the answer to a mitigation request', () => {
  it('grants a lifetime, or none without end', () => {
    expect(readPutAnswer(scoped(Code.created, { mid: 7, lifetime: 300 }))).toEqual({
      kind: 'granted',
      lifetime: 300
    })
    expect(readPutAnswer(scoped(Code.changed, { mid: 7, lifetime: -1 }))).toEqual({
      kind: 'granted',
      lifetime: 'indefinite'
    })
  })

  it('names a conflict, its retry-timer and the request in the way', () => {
    const conflictInformation = { conflictCause: 1, conflictScope: { mid: 9 }, retryTimer: 60 }
    expect(readPutAnswer(scoped(Code.conflict, { conflictInformation }))).toMatchObject({
      kind: 'conflict',
      cause: 'overlapping-targets',
      retryAfterSeconds: 60,
      mitigationId: 9
    })
  })

  it('tells a cuid that is taken', () => {
    const response = scoped(Code.conflict, { conflictInformation: { conflictCause: 3 } })
    expect(readPutAnswer(response)).toMatchObject({ kind: 'conflict', cause: 'cuid-collision' })
  })

  it("keeps the server's words, without what could fool a terminal", () => {
    const answer = readPutAnswer(plain(Code.badRequest, 'not \u001B[2Jyours\n'))
    expect(answer).toMatchObject({ kind: 'refused', text: '4.00 not  [2Jyours' })
  })

  it('comes again after Max-Age when the server cannot now', () => {
    const busy = plain(Code.serviceUnavailable, 'busy')
    expect(readPutAnswer(busy)).toMatchObject({ kind: 'unavailable', retryAfterSeconds: 60 })
    const maxAge = uintOption(OptionNumber.maxAge, 0)
    expect(readPutAnswer({ ...busy, options: [maxAge] })).toMatchObject({ retryAfterSeconds: 0 })
  })

  it('is read without a throw, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0x40, max: 0xbf }),
        fc.uint8Array(),
        fc.boolean(),
        (code, payload, hasFormat) => {
          const response = { code, options: hasFormat ? [format] : [], payload }
          expect(['granted', 'conflict', 'refused', 'unavailable']).toContain(readPutAnswer(response).kind)
          expect(readReports(response) === undefined || code === Code.content).toBe(true)
        }
      )
    )
  })
})
