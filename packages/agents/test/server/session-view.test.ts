import { loadControlSchemas } from '@breakwater/control'
import { newPeerId, parseIpAddress } from '@breakwater/core'
import { DEFAULT_SESSION_PARAMETERS } from '@breakwater/dots'
import type { SessionSnapshot } from '@breakwater/dots'
import { Value } from 'typebox/value'
import { expect, it } from 'vitest'
import { sessionView } from '../../src/server/session-view.ts'

const own = parseIpAddress('2001:db8::1')
const theirs = parseIpAddress('2001:db8::7')
if (own === undefined || theirs === undefined) throw new Error('not addresses')

const snapshot: SessionSnapshot = {
  peer: newPeerId(),
  identity: 'psk:site-1',
  domain: 'home',
  path: { local: { address: own, port: 4646 }, remote: { address: theirs, port: 40_000 }, interface: 'wan0' },
  transport: 'tcp',
  ageSeconds: 90.7,
  silentSeconds: 0.2,
  unansweredHeartbeats: 3,
  set: 'mitigating',
  parameters: DEFAULT_SESSION_PARAMETERS,
  sid: 7,
  idle: { ...DEFAULT_SESSION_PARAMETERS, heartbeatIntervalSeconds: 240 },
  mitigating: DEFAULT_SESSION_PARAMETERS,
  cuids: [],
  mitigations: 2,
  observations: 1
}

it('shows a session of a server as the control API has it', async () => {
  const view = sessionView(snapshot)
  const { sessionsSchema } = await loadControlSchemas()
  expect(Value.Errors(sessionsSchema, { sessions: [view] })).toEqual([])
  expect(view).toMatchObject({
    peer: 'home',
    state: 'established',
    identity: 'psk:site-1',
    local: '[2001:db8::1]:4646',
    remote: '[2001:db8::7]:40000',
    interface: 'wan0',
    transport: 'tcp',
    ageSeconds: 90,
    unansweredHeartbeats: 3,
    parameters: { set: 'mitigating', heartbeatIntervalSeconds: 30 },
    configuration: { sid: 7, idle: { heartbeatIntervalSeconds: 240 } },
    mitigations: 2,
    observations: 1
  })
})

it('names a stranger by its identity, and says nothing of a sid where none was conveyed', () => {
  const view = sessionView({ ...snapshot, domain: undefined, sid: undefined })
  expect(view).toMatchObject({ peer: 'psk:site-1', state: 'stranger' })
  expect('sid' in (view.configuration ?? {})).toBe(false)
})
