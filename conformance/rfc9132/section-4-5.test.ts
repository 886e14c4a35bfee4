import { OptionNumber, readUint, uriPath } from '@breakwater/coap'
import { describe, expect, it } from 'vitest'
import { ServerBed, only } from '../../packages/dots/test/server/server-bed.ts'

const PARAMETERS = {
  heartbeatInterval: { maxValue: 240, minValue: 15, currentValue: 30 },
  missingHbAllowed: { maxValue: 20, minValue: 3, currentValue: 15 },
  probingRate: { maxValue: 20, minValue: 5, currentValue: 5 },
  maxRetransmit: { maxValue: 15, minValue: 2, currentValue: 3 },
  ackTimeout: { maxValueDecimal: 30, minValueDecimal: 1, currentValueDecimal: 2 },
  ackRandomFactor: { maxValueDecimal: 4, minValueDecimal: 1.1, currentValueDecimal: 1.5 }
}

describe('RFC 9132 §4.5: session configuration', () => {
  it('§4.5.1, §4.5.2: GET tells the recommended values, as in force, and the acceptable ranges [RFC9132-4.5.2-S01] [RFC9132-4.5.2-S02] [RFC9132-4.5.2-S03]', () => {
    const answer = only(new ServerBed().establish().config())
    expect(answer.code).toBe('2.05')
    expect(answer.body).toEqual({
      signalConfig: { mitigatingConfig: PARAMETERS, idleConfig: PARAMETERS }
    })
  })

  it('§4.5.3: the answer carries a Max-Age, which is not 0 [RFC9132-4.5.3-S01] [RFC9132-4.5.3-S02] [RFC9132-4.5.3-S03]', () => {
    const answer = only(new ServerBed().establish().config())
    expect(readUint(answer.response.options, OptionNumber.maxAge)).toBe(3600)
  })

  it('§4.5.2: the path has no cuid [RFC9132-4.5.2-M02]', () => {
    const peer = new ServerBed().establish()
    expect(only(peer.request(1, uriPath('.well-known', 'dots', 'config', 'cuid=abc'))).code).toBe('4.00')
  })

  it('a configuration that was never negotiated is 4.04, and negotiating is not offered', () => {
    const peer = new ServerBed().establish()
    const path = uriPath('.well-known', 'dots', 'config', 'sid=1')
    expect(only(peer.request(1, path)).code).toBe('4.04')
    expect(only(peer.request(3, path)).code).toBe('4.05')
    expect(only(peer.request(4, path)).code).toBe('4.05')
  })
})
