import { Code } from '@breakwater/coap'
import { Instant, Seconds } from '@breakwater/core'
import type { Transport } from '@breakwater/core'
import type { TraceEntry } from '@breakwater/testing'
import { VirtualClock } from '@breakwater/testing'
import { expect, it } from 'vitest'
import { prefix, serverAddresses, siteAddresses } from './addressing.ts'
import { Ledger } from './world/ledger.ts'
import type { Traffic } from './world/traffic.ts'
import type { Seen } from './world/wire.ts'

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
const target = { prefixes: [prefix('192.0.2.0/28')], ports: [], protocols: [] }

function put(mitigationId: number, trigger: 'immediate' | 'signal-loss'): Seen {
  return { ...base, kind: 'put', cuid: 'site', mitigationId, target, trigger, lifetimeSeconds: 900 }
}

const granted: Seen = {
  ...base,
  kind: 'answer',
  code: Code.created,
  isNotification: false,
  lifetimeSeconds: 900
}

/** What a ledger hears of one site at one provider. */
function listening(): {
  readonly clock: VirtualClock
  readonly ledger: Ledger
  readonly ask: (seen: Seen) => void
  readonly answer: (seen: Seen, transport?: Transport) => void
} {
  const clock = new VirtualClock()
  const ledger = new Ledger(clock, () => 0)
  let copies = 0
  const take = (
    direction: Traffic['direction'],
    when: Traffic['when'],
    seen: Seen,
    transport: Transport
  ): void =>
    ledger.take({
      entry: { ...entry, transport },
      when,
      direction,
      site: 0,
      provider: 0,
      session: 'one',
      bytes: 0,
      audited: undefined,
      seen: { ...seen, messageId: copies++ }
    })
  return {
    clock,
    ledger,
    ask: (seen) => {
      take('to-server', 'sent', seen, 'udp')
      take('to-server', 'delivered', seen, 'udp')
    },
    answer: (seen, transport = 'udp') => take('to-client', 'sent', seen, transport)
  }
}

it('counts what a stream held back from when it was asked, and what a datagram says from when it leaves', async () => {
  const { clock, ledger, ask, answer } = listening()
  ask(put(1, 'immediate'))
  const [entryOfPut] = ledger.find(0, 'site/1')
  await clock.advance(Seconds(222))
  answer(granted, 'tcp')
  expect(entryOfPut).toMatchObject({ promisedUntil: Seconds(900) })
  answer(granted, 'udp')
  expect(entryOfPut).toMatchObject({ promisedUntil: Seconds(1122) })
})

it('takes a mitigation that made room for a preconfigured one as promised again only when the server says so', async () => {
  const { clock, ledger, ask, answer } = listening()
  ask(put(1, 'signal-loss'))
  answer(granted)
  ask(put(2, 'immediate'))
  answer(granted)
  const [immediate] = ledger.find(0, 'site/2')
  expect(immediate).toMatchObject({ promisedUntil: Seconds(900) })

  await clock.advance(Seconds(10))
  ledger.signalLost(0, 0)
  expect(immediate?.heirs.size).toBe(1)
  // It arrives at a server that has no such session any more, and cannot read it.
  ask(put(2, 'immediate'))
  expect(immediate).toMatchObject({ promisedUntil: undefined })
  answer(granted)
  expect(immediate).toMatchObject({ promisedUntil: Seconds(910) })
})
