import { expect, test } from 'vitest'
import {
  decodeSignal,
  decodeSignalJson,
  encodeSignal,
  encodeSignalJson,
  signalToJson
} from '../../src/index.ts'
import type { SignalMessage } from '../../src/index.ts'

/** What the figure says in JSON goes into the program, out as CBOR, in again, and out as what the figure says. */
function reproduces(figure: unknown, message: SignalMessage): void {
  const decoded = decodeSignalJson(JSON.stringify(figure, undefined, 2))
  expect(decoded).toEqual(message)
  expect(decodeSignalJson(figure)).toEqual(message)
  expect(signalToJson(decodeSignal(encodeSignal(decoded)))).toEqual(figure)
}

const attackedTarget = {
  'target-prefix': ['2001:db8:6401::1/128', '2001:db8:6401::2/128'],
  'target-port-range': [{ 'lower-port': 80 }, { 'lower-port': 443 }, { 'lower-port': 8080 }],
  'target-protocol': [6]
}

const attacked = {
  targetPrefix: ['2001:db8:6401::1/128', '2001:db8:6401::2/128'],
  targetPortRange: [{ lowerPort: 80 }, { lowerPort: 443 }, { lowerPort: 8080 }],
  targetProtocol: [6]
}

test('RFC 9132 §4.4.1.1, Figure 7: a mitigation request', () => {
  reproduces(
    { 'ietf-dots-signal-channel:mitigation-scope': { scope: [{ ...attackedTarget, lifetime: 3600 }] } },
    { mitigationScope: { scope: [{ ...attacked, lifetime: 3600 }] } }
  )
})

test('RFC 9132 §4.4.1.3, Figure 10: the answer to a mitigation request', () => {
  reproduces(
    { 'ietf-dots-signal-channel:mitigation-scope': { scope: [{ mid: 123, lifetime: 3600 }] } },
    { mitigationScope: { scope: [{ mid: 123, lifetime: 3600 }] } }
  )
})

test('RFC 9132 §4.4.1.3, Figure 11: a conflict of cuids', () => {
  reproduces(
    {
      'ietf-dots-signal-channel:mitigation-scope': {
        scope: [{ 'conflict-information': { 'conflict-cause': 'cuid-collision' } }]
      }
    },
    { mitigationScope: { scope: [{ conflictInformation: { conflictCause: 3 } }] } }
  )
})

test('RFC 9132 §4.4.2, Figure 14: the status of two mitigations, counters of 64 bits as texts', () => {
  const targetPrefix = ['2001:db8:6401::1/128', '2001:db8:6401::2/128']
  reproduces(
    {
      'ietf-dots-signal-channel:mitigation-scope': {
        scope: [
          {
            mid: 12332,
            'mitigation-start': '1507818434',
            'target-prefix': targetPrefix,
            'target-protocol': [17],
            lifetime: 1756,
            status: 'attack-successfully-mitigated',
            'bytes-dropped': '134334555',
            'bps-dropped': '43344',
            'pkts-dropped': '333334444',
            'pps-dropped': '432432'
          },
          {
            mid: 12333,
            'mitigation-start': '1507818393',
            'target-prefix': targetPrefix,
            'target-protocol': [6],
            lifetime: 1755,
            status: 'attack-stopped',
            'bytes-dropped': '0',
            'bps-dropped': '0',
            'pkts-dropped': '0',
            'pps-dropped': '0'
          }
        ]
      }
    },
    {
      mitigationScope: {
        scope: [
          {
            mid: 12332,
            mitigationStart: 1507818434n,
            targetPrefix,
            targetProtocol: [17],
            lifetime: 1756,
            status: 2,
            bytesDropped: 134334555n,
            bpsDropped: 43344n,
            pktsDropped: 333334444n,
            ppsDropped: 432432n
          },
          {
            mid: 12333,
            mitigationStart: 1507818393n,
            targetPrefix,
            targetProtocol: [6],
            lifetime: 1755,
            status: 3,
            bytesDropped: 0n,
            bpsDropped: 0n,
            pktsDropped: 0n,
            ppsDropped: 0n
          }
        ]
      }
    }
  )
})

test('RFC 9132 §4.4.3, Figure 16: an efficacy update', () => {
  reproduces(
    {
      'ietf-dots-signal-channel:mitigation-scope': {
        scope: [{ ...attackedTarget, 'attack-status': 'under-attack' }]
      }
    },
    { mitigationScope: { scope: [{ ...attacked, attackStatus: 1 }] } }
  )
})

function integer(maximum: number, minimum: number, current: number): Record<string, number> {
  return { 'max-value': maximum, 'min-value': minimum, 'current-value': current }
}

function decimal(maximum: string, minimum: string, current: string): Record<string, string> {
  return {
    'max-value-decimal': maximum,
    'min-value-decimal': minimum,
    'current-value-decimal': current
  }
}

test('RFC 9132 §4.5.1, Figure 20: the configuration of a session, decimals as texts', () => {
  const config = {
    'heartbeat-interval': integer(240, 15, 30),
    'missing-hb-allowed': integer(20, 3, 15),
    'probing-rate': integer(20, 5, 15),
    'max-retransmit': integer(15, 2, 3),
    'ack-timeout': decimal('30.00', '1.00', '2.00'),
    'ack-random-factor': decimal('4.00', '1.10', '1.50')
  }
  const decoded = {
    heartbeatInterval: { maxValue: 240, minValue: 15, currentValue: 30 },
    missingHbAllowed: { maxValue: 20, minValue: 3, currentValue: 15 },
    probingRate: { maxValue: 20, minValue: 5, currentValue: 15 },
    maxRetransmit: { maxValue: 15, minValue: 2, currentValue: 3 },
    ackTimeout: { maxValueDecimal: 30, minValueDecimal: 1, currentValueDecimal: 2 },
    ackRandomFactor: { maxValueDecimal: 4, minValueDecimal: 1.1, currentValueDecimal: 1.5 }
  }
  reproduces(
    { 'ietf-dots-signal-channel:signal-config': { 'mitigating-config': config, 'idle-config': config } },
    { signalConfig: { mitigatingConfig: decoded, idleConfig: decoded } }
  )
})

test('RFC 9132 §4.5.2, Figure 23: the configuration that a client asks for', () => {
  const always = {
    'max-retransmit': { 'current-value': 3 },
    'ack-timeout': { 'current-value-decimal': '2.00' },
    'ack-random-factor': { 'current-value-decimal': '1.50' }
  }
  const decoded = {
    maxRetransmit: { currentValue: 3 },
    ackTimeout: { currentValueDecimal: 2 },
    ackRandomFactor: { currentValueDecimal: 1.5 }
  }
  reproduces(
    {
      'ietf-dots-signal-channel:signal-config': {
        'mitigating-config': {
          'heartbeat-interval': { 'current-value': 30 },
          'missing-hb-allowed': { 'current-value': 15 },
          'probing-rate': { 'current-value': 15 },
          ...always
        },
        'idle-config': { 'heartbeat-interval': { 'current-value': 0 }, ...always }
      }
    },
    {
      signalConfig: {
        mitigatingConfig: {
          heartbeatInterval: { currentValue: 30 },
          missingHbAllowed: { currentValue: 15 },
          probingRate: { currentValue: 15 },
          ...decoded
        },
        idleConfig: { heartbeatInterval: { currentValue: 0 }, ...decoded }
      }
    }
  )
})

test('RFC 9132 §4.6, Figure 26: redirection', () => {
  reproduces(
    {
      'ietf-dots-signal-channel:redirected-signal': {
        'alt-server': 'alt-server.example',
        'alt-server-record': ['2001:db8:6401::1', '2001:db8:6401::2']
      }
    },
    {
      redirectedSignal: {
        altServer: 'alt-server.example',
        altServerRecord: ['2001:db8:6401::1', '2001:db8:6401::2']
      }
    }
  )
})

test('RFC 9132 §4.7, Figure 27: a heartbeat, as one line of text', () => {
  reproduces(
    { 'ietf-dots-signal-channel:heartbeat': { 'peer-hb-status': true } },
    { heartbeat: { peerHbStatus: true } }
  )
  expect(encodeSignalJson({ heartbeat: { peerHbStatus: false } })).toBe(
    '{"ietf-dots-signal-channel:heartbeat":{"peer-hb-status":false}}'
  )
})
