import { Code } from '@breakwater/coap'
import { Instant } from '@breakwater/core'
import type { TraceEntry } from '@breakwater/testing'
import { expect, it } from 'vitest'
import { serverAddresses, siteAddresses } from '../addressing.ts'
import type { Seen } from '../world/wire.ts'
import { SentAway } from './sent-away.ts'

const entry: TraceEntry = {
  at: Instant(0),
  datagram: 0,
  transport: 'udp',
  fate: { kind: 'sent' },
  from: 'site-0',
  path: {
    local: { address: siteAddresses(0, 0)[0]!, port: 50_000 },
    remote: { address: serverAddresses(0)[0]!, port: 4646 }
  },
  bytes: new Uint8Array(0)
}
const base = { at: Instant(0), entry, token: 'aa', messageId: 1, isNonConfirmable: true }
const heartbeat: Seen = { ...base, kind: 'heartbeat' }
const redirect: Seen = {
  ...base,
  kind: 'answer',
  code: Code.serviceUnavailable,
  isNotification: false,
  lifetimeSeconds: undefined
}

it('a client that was sent away is back by a new session, not by what its others had under way', () => {
  const client = new SentAway()
  const beat = (session: string, when: 'sent' | 'delivered'): void =>
    client.passed({ when, direction: 'to-server', session, seen: heartbeat })
  beat('first', 'sent')
  client.passed({ when: 'sent', direction: 'to-client', session: 'first', seen: redirect })
  beat('stand-by', 'sent')
  client.passed({ when: 'delivered', direction: 'to-client', session: 'first', seen: redirect })
  beat('stand-by', 'delivered')
  expect(client.isAway).toBe(true)
  beat('new', 'sent')
  expect(client.isAway).toBe(true)
  beat('new', 'delivered')
  expect(client.isAway).toBe(false)
})
