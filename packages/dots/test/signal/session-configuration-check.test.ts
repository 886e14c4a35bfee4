import type { SignalMessage } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SESSION_PARAMETERS } from '../../src/signal/defaults.ts'
import { checkSessionConfiguration } from '../../src/signal/session-configuration-check.ts'
import { sessionConfigurationBody } from '../../src/signal/session-configuration.ts'

const INTERVAL = { heartbeatInterval: { currentValue: 60 } }

function check(message: SignalMessage): ReturnType<typeof checkSessionConfiguration> {
  return checkSessionConfiguration(message, DEFAULT_SESSION_PARAMETERS)
}

describe('checkSessionConfiguration', () => {
  it('lays what is named over the defaults, each set by itself', () => {
    const idleConfig = { ...INTERVAL, ackTimeout: { currentValueDecimal: 1.25 } }
    expect(check({ signalConfig: { idleConfig } })).toEqual({
      ok: true,
      value: {
        mitigating: DEFAULT_SESSION_PARAMETERS,
        idle: { ...DEFAULT_SESSION_PARAMETERS, heartbeatIntervalSeconds: 60, ackTimeoutSeconds: 1.25 }
      }
    })
  })

  it('takes every limit itself, and no heartbeats at all', () => {
    const lowest = {
      heartbeatInterval: { currentValue: 0 },
      missingHbAllowed: { currentValue: 3 },
      probingRate: { currentValue: 5 },
      maxRetransmit: { currentValue: 2 },
      ackTimeout: { currentValueDecimal: 1 },
      ackRandomFactor: { currentValueDecimal: 1.1 }
    }
    const highest = {
      heartbeatInterval: { currentValue: 240 },
      missingHbAllowed: { currentValue: 20 },
      probingRate: { currentValue: 20 },
      maxRetransmit: { currentValue: 15 },
      ackTimeout: { currentValueDecimal: 30 },
      ackRandomFactor: { currentValueDecimal: 4 }
    }
    expect(check({ signalConfig: { mitigatingConfig: lowest, idleConfig: highest } }).ok).toBe(true)
  })

  it.each<[string, SignalMessage]>([
    ['DOTS_SIGNAL_CONFIG_MISSING', {}],
    ['DOTS_SIGNAL_CONFIG_MISSING', { heartbeat: { peerHbStatus: true } }],
    [
      'DOTS_SIGNAL_CONFIG_MISSING',
      { signalConfig: { idleConfig: INTERVAL }, heartbeat: { peerHbStatus: true } }
    ],
    ['DOTS_SIGNAL_CONFIG_EMPTY', { signalConfig: { mitigatingConfig: {} } }],
    ['DOTS_SIGNAL_CONFIG_VALUE_MISSING', { signalConfig: { idleConfig: { maxRetransmit: {} } } }],
    ['DOTS_SIGNAL_CONFIG_VALUE_MISSING', { signalConfig: { idleConfig: { ackTimeout: {} } } }],
    ['DOTS_SIGNAL_ATTRIBUTE_NOT_IN_REQUEST', { signalConfig: { sid: 1, idleConfig: INTERVAL } }],
    [
      'DOTS_SIGNAL_ATTRIBUTE_NOT_IN_REQUEST',
      { signalConfig: { mitigatingConfig: { maxRetransmit: { currentValue: 3, maxValue: 4 } } } }
    ],
    [
      'DOTS_SIGNAL_ATTRIBUTE_NOT_IN_REQUEST',
      sessionConfigurationBody({ mitigating: DEFAULT_SESSION_PARAMETERS, idle: DEFAULT_SESSION_PARAMETERS })
    ]
  ])('%s, as 4.00: %j', (code, message) => {
    expect(check(message)).toMatchObject({ ok: false, problem: { code, answer: 0x80 } })
  })

  it('a request that is wrong in form is 4.00, even if a value is out of range as well', () => {
    const mitigatingConfig = { heartbeatInterval: { currentValue: 1 } }
    expect(check({ signalConfig: { mitigatingConfig, idleConfig: { probingRate: {} } } })).toMatchObject({
      problem: { code: 'DOTS_SIGNAL_CONFIG_VALUE_MISSING' }
    })
    expect(check({ signalConfig: { mitigatingConfig, idleConfig: INTERVAL } })).toMatchObject({
      problem: { code: 'DOTS_SIGNAL_CONFIG_UNACCEPTABLE', answer: 0x96 }
    })
  })
})
