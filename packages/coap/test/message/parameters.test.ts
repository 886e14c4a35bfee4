import { inSeconds } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { defaultParameters, deriveTimes } from '../../src/index.ts'

describe('derived times', () => {
  test('the default parameters give the table of RFC 7252 §4.8.2', () => {
    const times = deriveTimes(defaultParameters)
    expect(Object.fromEntries(Object.entries(times).map(([name, time]) => [name, inSeconds(time)]))).toEqual({
      ackTimeout: 2,
      maxTransmitSpan: 45,
      maxTransmitWait: 93,
      processingDelay: 2,
      maxRtt: 202,
      exchangeLifetime: 247,
      nonLifetime: 145
    })
  })

  test('each is a function of the parameters', () => {
    const times = deriveTimes({
      ...defaultParameters,
      ackTimeoutSeconds: 1,
      maxRetransmit: 3,
      maxLatencySeconds: 10
    })
    expect(inSeconds(times.maxTransmitSpan)).toBe(10.5)
    expect(inSeconds(times.maxTransmitWait)).toBe(22.5)
    expect(inSeconds(times.exchangeLifetime)).toBe(31.5)
    expect(inSeconds(times.nonLifetime)).toBe(20.5)
  })

  test('ACK_RANDOM_FACTOR is not below 1.0 [RFC7252-4.8.1-M02]', () => {
    expect(() => deriveTimes({ ...defaultParameters, ackRandomFactor: 0.99 })).toThrow('ackRandomFactor 0.99')
    expect(() => deriveTimes({ ...defaultParameters, ackRandomFactor: 1 })).not.toThrow()
  })

  test.each([
    { ackTimeoutSeconds: 0 },
    { ackTimeoutSeconds: Number.NaN },
    { ackRandomFactor: Number.POSITIVE_INFINITY },
    { maxRetransmit: 1.5 },
    { maxRetransmit: -1 },
    { maxRetransmit: 33 },
    { nstart: 0 },
    { maxLatencySeconds: -1 }
  ])('no session runs with %o', (change) => {
    expect(() => deriveTimes({ ...defaultParameters, ...change })).toThrow(
      expect.objectContaining({ code: 'COAP_PARAMETERS_INVALID' }) as Error
    )
  })
})
