import { expect, it } from 'vitest'
import { sessionLines } from '../src/output/session-lines.ts'

it('shows under the sessions how each path to a server fares', () => {
  const lines = sessionLines('server', [
    {
      peer: 'isp-a',
      state: 'established',
      transport: 'tcp',
      local: '198.51.100.1',
      remote: '192.0.2.1:4646',
      text: 'tries UDP in 86000 s',
      candidates: [
        { path: 'tcp 198.51.100.1 wan-a > 192.0.2.1 4646', text: 'established in 40 ms, 12 s ago' },
        {
          path: 'udp 198.51.100.1 wan-a > 192.0.2.1 4646',
          text: 'no session after 290 ms, when another won, 12 s ago'
        }
      ]
    },
    { peer: 'isp-b', state: 'stopped' }
  ])
  expect(lines.slice(-4)).toEqual([
    '',
    'paths to isp-a',
    '  tcp 198.51.100.1 wan-a > 192.0.2.1 4646: established in 40 ms, 12 s ago',
    '  udp 198.51.100.1 wan-a > 192.0.2.1 4646: no session after 290 ms, when another won, 12 s ago'
  ])
  expect(lines.slice(0, -4).join('\n')).toContain('tries UDP in 86000 s')
})

it('shows which session parameters hold, in short', () => {
  const parameters = {
    set: 'mitigating' as const,
    heartbeatIntervalSeconds: 30,
    missingHeartbeatsAllowed: 15,
    probingRateBytesPerSecond: 5,
    maxRetransmit: 3,
    ackTimeoutSeconds: 2,
    ackRandomFactor: 1.5
  }
  const idle = { ...parameters, set: 'idle' as const, heartbeatIntervalSeconds: 0 }
  const lines = sessionLines('server', [
    { peer: 'isp-a', state: 'established', parameters },
    { peer: 'isp-b', state: 'established', parameters: idle }
  ])
  expect(lines[1]).toContain('mitigating: heartbeats every 30 s, 15 may be missing')
  expect(lines[2]).toContain('idle: no heartbeats')
})
