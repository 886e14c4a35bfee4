import { OptionNumber, readUint, uintOption, uriPath } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import { configPath, mitigatePath } from '@breakwater/dots'
import { encodeSignal } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import {
  CUID,
  ServerBed,
  certificate,
  messageType,
  mid,
  only
} from '../../packages/dots/test/server/server-bed.ts'
import type { Peer } from '../../packages/dots/test/server/server-bed.ts'

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

  it('a configuration that was never conveyed is 4.04', () => {
    expect(only(new ServerBed().establish().configOf(1)).code).toBe('4.04')
  })
})

/** RFC 9132 §4.5.2, Figure 23. */
const FIGURE_23 = {
  mitigatingConfig: {
    heartbeatInterval: { currentValue: 30 },
    missingHbAllowed: { currentValue: 15 },
    probingRate: { currentValue: 15 },
    maxRetransmit: { currentValue: 3 },
    ackTimeout: { currentValueDecimal: 2 },
    ackRandomFactor: { currentValueDecimal: 1.5 }
  },
  idleConfig: {
    heartbeatInterval: { currentValue: 0 },
    maxRetransmit: { currentValue: 3 },
    ackTimeout: { currentValueDecimal: 2 },
    ackRandomFactor: { currentValueDecimal: 1.5 }
  }
}

const SLOW = { idleConfig: { heartbeatInterval: { currentValue: 200 } } }
const TARGET = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }
const MINUTES_10 = Seconds(600)

/** Heartbeats of the server in a time; at most the given number apart. */
function heartbeatsIn(bed: ServerBed, peer: Peer, duration: Duration): number {
  const before = peer.heartbeats
  bed.advance(duration)
  return peer.heartbeats - before
}

function currentIdleInterval(peer: Peer): number | undefined {
  return only(peer.config()).body?.signalConfig?.idleConfig?.heartbeatInterval?.currentValue
}

describe('RFC 9132 §4.5: the set in force follows the mitigation activity', () => {
  it('heartbeats come by mitigating-config while a mitigation is active, and by idle-config while none is [RFC9132-4.5-M01] [RFC9132-4.5-M02]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.configure(123, FIGURE_23)
    expect(heartbeatsIn(bed, peer, MINUTES_10)).toBe(0)
    peer.put(1, TARGET)
    const active = heartbeatsIn(bed, peer, MINUTES_10)
    expect(active).toBeGreaterThanOrEqual(18)
    expect(active).toBeLessThanOrEqual(21)
    peer.delete(1)
    // Still active, but terminating (RFC 9132 §4.4.4).
    expect(heartbeatsIn(bed, peer, Seconds(119))).toBeGreaterThanOrEqual(3)
    bed.advance(Seconds(2))
    expect(heartbeatsIn(bed, peer, MINUTES_10)).toBe(0)
  })

  it('of two mitigations, the end of the last one counts [RFC9132-4.5-M02]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.configure(123, FIGURE_23)
    peer.put(1, { ...TARGET, lifetime: 60 })
    peer.put(2, { targetPrefix: ['192.0.2.8/32'], lifetime: 660 })
    expect(heartbeatsIn(bed, peer, MINUTES_10)).toBeGreaterThanOrEqual(18)
    bed.advance(Seconds(61))
    expect(heartbeatsIn(bed, peer, MINUTES_10)).toBe(0)
  })

  it('a session that begins while a mitigation is active starts with mitigating-config', () => {
    const bed = new ServerBed()
    bed.establish().put(1, { ...TARGET, lifetime: 86_400 })
    const again = bed.establish()
    again.configure(1, FIGURE_23)
    expect(heartbeatsIn(bed, again, MINUTES_10)).toBeGreaterThanOrEqual(18)
    const stranger = bed.establish(certificate('second.example.net'))
    stranger.configure(1, FIGURE_23)
    expect(heartbeatsIn(bed, stranger, MINUTES_10)).toBe(0)
  })

  it('retransmission goes by the values in force, too [RFC9132-4.5-M01] [RFC9132-4.5.2-M01]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.configure(1, {
      mitigatingConfig: { maxRetransmit: { currentValue: 2 }, ackTimeout: { currentValueDecimal: 1 } },
      idleConfig: { maxRetransmit: { currentValue: 5 } }
    })
    expect(transmissions(bed, peer, 1)).toBe(1 + 2)
    peer.configure(2, SLOW)
    expect(transmissions(bed, peer, 2)).toBe(1 + 3)
  })
})

/** How often the server sends a separate response, under a mitigation, that is never acknowledged. */
function transmissions(bed: ServerBed, peer: Peer, id: number): number {
  if (id === 1) peer.put(100, { targetPrefix: ['192.0.2.100/32'], lifetime: 86_400 })
  const body = encodeSignal({
    mitigationScope: { scope: [{ targetPrefix: [`192.0.2.${id}/32`], lifetime: 60 }] }
  })
  bed.hold.add('store')
  peer.request(3, mitigatePath(CUID, mid(id)), body, true)
  bed.advance(Seconds(2))
  peer.deaf = true
  bed.release()
  bed.advance(Seconds(200))
  peer.deaf = false
  const sent = bed.sent.filter(({ bytes }) => messageType(bytes) === 'confirmable')
  return sent.length - (id === 1 ? 0 : 3)
}

describe('RFC 9132 §4.5.2: conveying a configuration', () => {
  it('Figure 23 is accepted with 2.01, and can be read with its sid and without [RFC9132-4.5.2-M07]', () => {
    const peer = new ServerBed().establish()
    expect(only(peer.configure(123, FIGURE_23)).code).toBe('2.01')
    const expected = {
      signalConfig: {
        mitigatingConfig: { ...PARAMETERS, probingRate: { ...PARAMETERS.probingRate, currentValue: 15 } },
        idleConfig: { ...PARAMETERS, heartbeatInterval: { ...PARAMETERS.heartbeatInterval, currentValue: 0 } }
      }
    }
    expect(only(peer.configOf(123)).body).toEqual(expected)
    expect(only(peer.config()).body).toEqual(expected)
  })

  it('the same sid again changes it with 2.04 [RFC9132-4.5.2-M08]', () => {
    const peer = new ServerBed().establish()
    peer.configure(7, FIGURE_23)
    expect(only(peer.configure(7, SLOW)).code).toBe('2.04')
    expect(currentIdleInterval(peer)).toBe(200)
  })

  it('a higher sid overrides and deletes the lower [RFC9132-4.5.2-M05]', () => {
    const peer = new ServerBed().establish()
    peer.configure(7, FIGURE_23)
    expect(only(peer.configure(8, SLOW)).code).toBe('2.01')
    expect(only(peer.configOf(7)).code).toBe('4.04')
    expect(only(peer.configOf(8)).code).toBe('2.05')
  })

  it('what it does not name has its default, not the value of before [RFC9132-4.5.2-M01]', () => {
    const peer = new ServerBed().establish()
    peer.configure(7, FIGURE_23)
    peer.configure(8, { mitigatingConfig: { maxRetransmit: { currentValue: 5 } } })
    const { mitigatingConfig, idleConfig } = only(peer.config()).body?.signalConfig ?? {}
    expect(mitigatingConfig).toEqual({
      ...PARAMETERS,
      maxRetransmit: { ...PARAMETERS.maxRetransmit, currentValue: 5 }
    })
    expect(idleConfig).toEqual(PARAMETERS)
  })

  it('sids only rise: a lower one is 4.09 and changes nothing [RFC9132-4.5.2-M03]', () => {
    const peer = new ServerBed().establish()
    peer.configure(8, SLOW)
    const answer = only(peer.configure(7, FIGURE_23))
    expect(answer.code).toBe('4.09')
    expect(answer.text).toContain('sid 7 is below 8')
    expect(currentIdleInterval(peer)).toBe(200)
  })

  it('a request without sid, or with an invalid one, is 4.00 [RFC9132-4.5.2-M06]', () => {
    const peer = new ServerBed().establish()
    const body = encodeSignal({ signalConfig: SLOW })
    expect(only(peer.request(3, configPath(), body)).code).toBe('4.00')
    for (const sid of ['sid=', 'sid=-1', 'sid=4294967296', 'sid=1x', 'cuid=abc'])
      expect(only(peer.request(3, uriPath('.well-known', 'dots', 'config', sid), body)).code).toBe('4.00')
    expect(currentIdleInterval(peer)).toBe(30)
  })

  it('a body that names no parameter is 4.00 [RFC9132-4.5.2-M04]', () => {
    const peer = new ServerBed().establish()
    for (const empty of [{}, { idleConfig: {} }, { mitigatingConfig: {}, idleConfig: {} }])
      expect(only(peer.configure(1, empty)).code).toBe('4.00')
    expect(only(peer.configOf(1)).code).toBe('4.04')
  })

  it.each([
    [{ heartbeatInterval: { currentValue: 14 } }, 'heartbeat-interval 14 is not 0 or 15 … 240'],
    [{ heartbeatInterval: { currentValue: 241 } }, 'heartbeat-interval 241'],
    [{ missingHbAllowed: { currentValue: 2 } }, 'missing-hb-allowed 2 is not 3 … 20'],
    [{ probingRate: { currentValue: 21 } }, 'probing-rate 21 is not 5 … 20'],
    [{ maxRetransmit: { currentValue: 16 } }, 'max-retransmit 16 is not 2 … 15'],
    [{ ackTimeout: { currentValueDecimal: 0.99 } }, 'ack-timeout 0.99 is not 1 … 30'],
    [{ ackRandomFactor: { currentValueDecimal: 1.09 } }, 'ack-random-factor 1.09 is not 1.1 … 4']
  ])(
    '%j is 4.22 in either set, and nothing of the request is taken [RFC9132-4.5.2-M09]',
    (parameters, text) => {
      const peer = new ServerBed().establish()
      for (const signalConfig of [
        { ...SLOW, mitigatingConfig: parameters },
        { ...FIGURE_23, idleConfig: parameters }
      ]) {
        const answer = only(peer.configure(1, signalConfig))
        expect(answer.code).toBe('4.22')
        expect(answer.text).toContain(text)
      }
      expect(only(peer.configOf(1)).code).toBe('4.04')
      expect(currentIdleInterval(peer)).toBe(30)
    }
  )

  it('retransmission that RFC 7252 §4.8.1 forbids is not agreed to, in either set [RFC9132-4.5.2-S04]', () => {
    const peer = new ServerBed().establish()
    for (const parameters of [
      { ackTimeout: { currentValueDecimal: 0 } },
      { ackTimeout: { currentValueDecimal: 0.99 } },
      { ackRandomFactor: { currentValueDecimal: 0.9 } },
      { ackRandomFactor: { currentValueDecimal: 1 } }
    ])
      for (const set of ['mitigatingConfig', 'idleConfig'])
        expect(only(peer.configure(1, { [set]: parameters })).code).toBe('4.22')
  })

  it('a configuration is of one session: neither another nor the next of the same client has it', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.configure(1, SLOW)
    expect(currentIdleInterval(bed.establish(certificate('second.example.net')))).toBe(30)
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'close-notify' })
    const next = bed.establish()
    expect(currentIdleInterval(next)).toBe(30)
    expect(only(next.configure(1, SLOW)).code).toBe('2.01')
  })
})

describe('RFC 9132 §4.5.3: freshness and notifications', () => {
  const observe = [uintOption(OptionNumber.observe, 0)]

  it('an observer is told each change of the configuration, with its Max-Age, three seconds apart', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.config(observe)
    peer.configure(1, SLOW)
    peer.configure(2, FIGURE_23)
    bed.advance(Seconds(1))
    peer.request(4, configPath())
    bed.advance(Seconds(1))
    expect(peer.notifications).toHaveLength(1)
    bed.advance(Seconds(3))
    const told = peer.notifications.map(
      ({ body }) => body?.signalConfig?.idleConfig?.heartbeatInterval?.currentValue
    )
    expect(told).toEqual([0, 30])
    for (const { response } of peer.notifications)
      expect(readUint(response.options, OptionNumber.maxAge)).toBe(3600)
  })

  it('an observer of a sid is told that it is gone, and nothing more', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.configure(1, SLOW)
    peer.configOf(1, 1, observe)
    peer.configure(2, FIGURE_23)
    bed.advance(Seconds(4))
    peer.configure(3, SLOW)
    bed.advance(Seconds(4))
    expect(peer.notifications.map(({ code }) => code)).toEqual(['4.04'])
  })

  it('a refused request, and the switch between the two sets, are no change of the configuration', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.configure(5, FIGURE_23)
    peer.config(observe)
    peer.configure(4, SLOW)
    peer.put(1, TARGET)
    bed.advance(Seconds(10))
    expect(peer.notifications).toEqual([])
  })

  it('a client that does not refresh in time is reported, and cut off only where the operator wants it [RFC9132-4.5.3-O01]', () => {
    for (const staleConfiguration of ['keep', 'close'] as const) {
      const bed = new ServerBed({ policy: { configurationMaxAgeSeconds: 600, staleConfiguration } })
      const peer = bed.establish()
      peer.configure(1, SLOW)
      peer.configOf(1)
      bed.advance(Seconds(500))
      peer.configOf(1)
      bed.advance(Seconds(690))
      expect(bed.eventsOf('configuration-stale')).toEqual([])
      bed.advance(Seconds(4))
      expect(bed.eventsOf('configuration-stale')).toHaveLength(1)
      expect(bed.closed).toEqual(staleConfiguration === 'close' ? [peer.id] : [])
    }
  })

  it('while an attack is active nobody is cut off, and afterwards there is a whole Max-Age to refresh [RFC9132-4.5.3-M02]', () => {
    const bed = new ServerBed({ policy: { configurationMaxAgeSeconds: 600, staleConfiguration: 'close' } })
    const peer = bed.establish()
    peer.configure(1, SLOW)
    peer.configOf(1)
    peer.put(1, { ...TARGET, lifetime: 7200 })
    bed.advance(Seconds(7190))
    expect(bed.closed).toEqual([])
    bed.advance(Seconds(10 + 690))
    expect(bed.closed).toEqual([])
    bed.advance(Seconds(10))
    expect(bed.closed).toEqual([peer.id])
  })

  it('nothing is expected of a client without a configuration of its own', () => {
    const bed = new ServerBed({ policy: { configurationMaxAgeSeconds: 60, staleConfiguration: 'close' } })
    const peer = bed.establish()
    peer.config()
    bed.advance(Seconds(1000))
    peer.configure(1, SLOW)
    peer.config()
    peer.configOf(1, 4)
    bed.advance(Seconds(1000))
    expect(bed.closed).toEqual([])
  })
})

describe('RFC 9132 §4.5.4: deleting a configuration', () => {
  it('DELETE resets to the defaults with 2.02 and without body [RFC9132-4.5.4-O01]', () => {
    for (const path of [configPath(), uriPath('.well-known', 'dots', 'config', 'sid=7')]) {
      const bed = new ServerBed()
      const peer = bed.establish()
      peer.configure(7, FIGURE_23)
      const answer = only(peer.request(4, path))
      expect(answer.code).toBe('2.02')
      expect(answer.response.payload).toHaveLength(0)
      expect(only(peer.config()).body).toEqual({
        signalConfig: { mitigatingConfig: PARAMETERS, idleConfig: PARAMETERS }
      })
      expect(only(peer.configOf(7)).code).toBe('4.04')
      expect(heartbeatsIn(bed, peer, MINUTES_10)).toBeGreaterThanOrEqual(18)
    }
  })

  it('a DELETE of an overridden sid comes late and leaves the one in force; nothing to delete is 2.02, too', () => {
    const peer = new ServerBed().establish()
    expect(only(peer.request(4, configPath())).code).toBe('2.02')
    peer.configure(8, SLOW)
    expect(only(peer.configOf(7, 4)).code).toBe('2.02')
    expect(currentIdleInterval(peer)).toBe(200)
  })

  it('after it, a client may count its sids anew', () => {
    const peer = new ServerBed().establish()
    peer.configure(8, SLOW)
    peer.request(4, configPath())
    expect(only(peer.configure(1, SLOW)).code).toBe('2.01')
  })

  it('other methods are 4.05', () => {
    const peer = new ServerBed().establish()
    expect(only(peer.request(2, configPath())).code).toBe('4.05')
  })
})
