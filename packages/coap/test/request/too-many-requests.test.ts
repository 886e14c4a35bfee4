import { Instant, Seconds } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import {
  BackOff,
  Code,
  Method,
  OptionNumber,
  readUint,
  retryAfter,
  stringOption,
  tooManyRequests,
  uintOption,
  uriPath
} from '../../src/index.ts'
import type { CoapRequest } from '../../src/index.ts'

function request(method: number, path: string, payload = 0, query = ''): CoapRequest {
  const options = query === '' ? [] : [stringOption(OptionNumber.uriQuery, query)]
  return { method, options: [...uriPath(path), ...options], payload: new Uint8Array(payload) }
}

const put = request(Method.put, 'x')

describe('RFC 8516: 4.29 Too Many Requests', () => {
  test('§3: says in Max-Age when to come again, and why in words', () => {
    const response = tooManyRequests(30, 'one in 30 s')
    expect(response.code).toBe(Code.tooManyRequests)
    expect(readUint(response.options, OptionNumber.maxAge)).toBe(30)
    expect(Buffer.from(response.payload).toString()).toBe('one in 30 s')
  })

  test('§4: no similar request before Max-Age has passed, 60 s where it is missing', () => {
    const backOff = new BackOff()
    backOff.answered(put, tooManyRequests(30), Instant(1000))
    expect(backOff.heldUntil(put, Instant(1000))).toBe(31_000)
    expect(backOff.heldUntil(put, Instant(30_999))).toBe(31_000)
    expect(backOff.heldUntil(put, Instant(31_000))).toBeUndefined()
    backOff.answered(
      put,
      { code: Code.tooManyRequests, options: [], payload: new Uint8Array(0) },
      Instant(40_000)
    )
    expect(backOff.heldUntil(put, Instant(99_999))).toBe(100_000)
  })

  test('§4: similar is the same method and URI, whatever the payload and other options', () => {
    const backOff = new BackOff()
    backOff.answered(put, tooManyRequests(30), Instant(0))
    const alike = {
      ...request(Method.put, 'x', 5),
      options: [...put.options, uintOption(OptionNumber.contentFormat, 60)]
    }
    expect(backOff.heldUntil(alike, Instant(1))).toBe(30_000)
    expect(backOff.heldUntil(request(Method.get, 'x'), Instant(1))).toBeUndefined()
    expect(backOff.heldUntil(request(Method.put, 'y'), Instant(1))).toBeUndefined()
    expect(backOff.heldUntil(request(Method.put, 'x', 0, 'q=1'), Instant(1))).toBeUndefined()
  })

  test('a later answer counts, other answers do not', () => {
    const backOff = new BackOff()
    backOff.answered(put, tooManyRequests(30), Instant(0))
    backOff.answered(put, tooManyRequests(5), Instant(1000))
    expect(backOff.heldUntil(put, Instant(2000))).toBe(6000)
    const get = request(Method.get, 'x')
    backOff.answered(get, { ...tooManyRequests(30), code: Code.serviceUnavailable }, Instant(0))
    expect(backOff.heldUntil(get, Instant(1))).toBeUndefined()
  })

  test('memory is bounded', () => {
    const backOff = new BackOff(2)
    for (const path of ['a', 'b', 'c'])
      backOff.answered(request(Method.get, path), tooManyRequests(30), Instant(0))
    const held = ['a', 'b', 'c'].map(
      (path) => backOff.heldUntil(request(Method.get, path), Instant(1)) !== undefined
    )
    expect(held).toEqual([false, true, true])
  })

  test('4.29 and 5.03 ask for patience, others do not', () => {
    expect(retryAfter(tooManyRequests(7))).toBe(Seconds(7))
    expect(retryAfter({ ...tooManyRequests(7), code: Code.serviceUnavailable })).toBe(Seconds(7))
    expect(retryAfter({ code: Code.serviceUnavailable, options: [], payload: new Uint8Array(0) })).toBe(
      Seconds(60)
    )
    expect(retryAfter({ ...tooManyRequests(7), code: Code.content })).toBeUndefined()
  })
})
