import { Seconds, after, silentLog } from '@breakwater/core'
import type { WallTime } from '@breakwater/core'
import { MITIGATION_COLLECTION, hostDotsServer } from '@breakwater/dots'
import type { Mitigator, RecordChange, ServerHost } from '@breakwater/dots'
import {
  LeakCheck,
  SimulatedNetwork,
  SimulatedSharedStore,
  VirtualClock,
  address,
  prefix,
  seededEntropy
} from '@breakwater/testing'
import { afterEach, expect, it } from 'vitest'
import { encodeRecord } from '../../../src/server/mitigations/record.ts'
import { CUID, EXAMPLE, mid } from '../server-bed.ts'

const leaks = new LeakCheck()

afterEach(() => leaks.check())

/** What a third server of the provider writes when it is asked for protection. */
function mitigationOf(startedAt: WallTime): RecordChange {
  const value = encodeRecord({
    cuid: CUID,
    id: mid(1),
    principal: { domain: EXAMPLE.name, owner: 'dns:client.example.net' },
    requested: { prefixes: [prefix('192.0.2.7/32')], ports: [], protocols: [], names: [], uris: [] },
    resolved: [],
    trigger: 'immediate',
    standing: 'in-force',
    startedAt,
    expiresAt: after(startedAt, Seconds(60)),
    graceSeconds: 120
  })
  return { kind: 'put', collection: MITIGATION_COLLECTION, key: `${CUID}/1`, value }
}

it('two hosts of one store carry out once what a third wrote, also when the one that leads stops', async () => {
  const clock = leaks.clock(new VirtualClock())
  const network = leaks.network(new SimulatedNetwork({ clock, seed: 1 }))
  const provider = network.addHost('provider', {
    interfaces: [{ name: 'eth0', addresses: [address('192.0.2.250')] }]
  })
  const place = new SimulatedSharedStore(() => clock.now())
  const plans = new Set<string>()
  const calls: string[] = []
  const mitigatorOf = (server: string): Mitigator => ({
    name: server,
    apply: ({ id }) => {
      calls.push(`${server} applies`)
      plans.add(id)
      return Promise.resolve()
    },
    withdraw: (id) => {
      calls.push(`${server} withdraws`)
      plans.delete(id)
      return Promise.resolve()
    },
    inForce: () => Promise.resolve([...plans] as never),
    counters: () => Promise.resolve(new Map()),
    close: () => Promise.resolve()
  })
  const serve = async (server: string): Promise<{ host: ServerHost; stop: () => Promise<void> }> => {
    const store = place.open()
    const host = await hostDotsServer({
      clock,
      entropy: seededEntropy(1),
      open: provider.openSecureEndpoint,
      openStream: provider.openSecureStream,
      listen: [],
      store,
      sharing: store,
      mitigator: mitigatorOf(server),
      domains: [EXAMPLE],
      log: silentLog
    })
    const stop = async (): Promise<void> => {
      await host.stop()
      await store.close()
    }
    return { host, stop }
  }
  const one = await serve('one')
  const other = await serve('other')
  const third = place.open()
  await clock.advance(Seconds(2))
  await third.commit([mitigationOf(clock.wallClock())])
  await clock.advance(Seconds(1))
  for (const { host } of [one, other])
    expect(host.mitigations().map(({ state }) => state)).toEqual(['active'])
  expect(calls).toEqual(['one applies'])
  await one.stop()
  await clock.advance(Seconds(61))
  expect(calls).toEqual(['one applies', 'other withdraws'])
  expect(place.load(MITIGATION_COLLECTION).records).toEqual([])
  await other.stop()
  await third.close()
})
