import type { SessionView } from '@breakwater/control'
import { expect, it } from 'vitest'
import { sessionLines } from '../src/output/session-lines.ts'

/** Without the columns. */
function text(lines: readonly string[]): string {
  return lines.join(' ').replaceAll(/ +/g, ' ')
}

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

it('says where a server sends us, as an alarm where that leads nowhere', () => {
  const alternate = 'alt.isp-a.example'
  const session = { peer: 'isp-a', state: 'established' }
  const lineOf = (redirect: SessionView['redirect']): string =>
    text(sessionLines('server', [{ ...session, ...(redirect === undefined ? {} : { redirect }) }]).slice(1))
  expect(lineOf({ alternate, state: 'standing-in' })).toContain(`${alternate} stands in for it`)
  expect(lineOf({ alternate, state: 'unreachable', reason: 'timeout' })).toContain(
    `ALARM: isp-a sends us to ${alternate}, which cannot be reached (timeout)`
  )
  expect(lineOf({ alternate, state: 'refused', reason: 'a loop' })).toContain(
    `ALARM: isp-a sends us to ${alternate}, where we do not go (a loop)`
  )
  expect(lineOf(undefined)).not.toContain(alternate)
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

it('shows of a session at the server what its operator wants to know at night', () => {
  const parameters = {
    heartbeatIntervalSeconds: 30,
    missingHeartbeatsAllowed: 15,
    probingRateBytesPerSecond: 5,
    maxRetransmit: 3,
    ackTimeoutSeconds: 2,
    ackRandomFactor: 1.5
  }
  const session = {
    peer: 'home',
    state: 'established',
    identity: 'psk:site-1',
    transport: 'udp',
    local: '203.0.113.1:4646',
    remote: '192.0.2.7:40000',
    parameters: { set: 'mitigating' as const, ...parameters },
    configuration: { sid: 7, idle: { ...parameters, heartbeatIntervalSeconds: 240 }, mitigating: parameters },
    unansweredHeartbeats: 3,
    cuids: ['dz6pHjaADkaFTbjr0JGBpw'],
    mitigations: 1,
    observations: 2,
    ageSeconds: 11_100,
    silentSeconds: 95
  }
  expect(text(sessionLines('client', [session]))).toBe(
    'CLIENT SESSION PATH home established udp 203.0.113.1:4646 to 192.0.2.7:40000; psk:site-1; ' +
      'mitigating: heartbeats every 30 s, 15 may be missing; negotiated, sid 7; ' +
      '3 heartbeats without an answer; 1 mitigation, 2 observations; up 3 h 5 min, heard 1 min 35 s ago'
  )
  const { sid: _, ...configuration } = session.configuration
  const plain = { ...session, configuration, unansweredHeartbeats: 1 }
  const shown = text(sessionLines('client', [plain]))
  expect(shown).toContain("the server's defaults; 1 mitigation")
})
