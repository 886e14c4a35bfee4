import { CoapSession, Method, OptionNumber, defaultParameters, uintOption } from '@breakwater/coap'
import type { CoapOption, CoapResponse, OutgoingExchange } from '@breakwater/coap'
import { Driver, Seconds, UnavailableError, silentLog } from '@breakwater/core'
import type { ClientEndpointOptions, PeerId, SecureEndpoint } from '@breakwater/core'
import { hostDotsServer, mitigatePath } from '@breakwater/dots'
import type {
  LoadedCollection,
  MitigationPlan,
  Mitigator,
  PlanId,
  RecordChange,
  RecordStore,
  ServerEvent,
  ServerHost
} from '@breakwater/dots'
import { encodeSignal } from '@breakwater/model'
import {
  LeakCheck,
  SimulatedNetwork,
  VirtualClock,
  address,
  prefix,
  seededEntropy,
  simulatedCertificate
} from '@breakwater/testing'
import type { SimulatedHost } from '@breakwater/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { CUID, mid, see } from './server-bed.ts'
import type { Seen } from './server-bed.ts'

//   site 203.0.113.9 ──── (internet) ──── provider 192.0.2.250:4646
//   client.example.net                    server.example.net

const PSK = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

class World {
  readonly clock: VirtualClock
  readonly network: SimulatedNetwork
  readonly provider: SimulatedHost
  readonly site: SimulatedHost
  readonly records = new Map<string, Uint8Array>()
  readonly plans = new Map<PlanId, MitigationPlan>()
  readonly events: ServerEvent[] = []
  /** Calls of the mitigator in order. */
  readonly calls: string[] = []
  onEvent = (event: ServerEvent): void => void this.events.push(event)
  /** Errors that were logged. */
  readonly faults: string[] = []
  storeFails = false

  constructor(leaks: LeakCheck) {
    this.clock = leaks.clock(new VirtualClock())
    this.network = leaks.network(new SimulatedNetwork({ clock: this.clock, seed: 7 }))
    this.provider = this.network.addHost('provider', {
      interfaces: [{ name: 'eth0', addresses: [address('192.0.2.250')] }]
    })
    this.site = this.network.addHost('site', {
      interfaces: [{ name: 'wan', addresses: [address('203.0.113.9')] }]
    })
  }

  serve(): Promise<ServerHost> {
    return hostDotsServer({
      clock: this.clock,
      entropy: seededEntropy(1),
      open: this.provider.openSecureEndpoint,
      openStream: this.provider.openSecureStream,
      listen: [
        {
          local: { address: address('192.0.2.250'), port: 4646 },
          certificate: simulatedCertificate({
            authority: 'CA',
            subject: 'server',
            dnsNames: ['server.example.net']
          }),
          preSharedKeys: new Map([['example-psk', PSK]])
        }
      ],
      store: this.store(),
      mitigator: this.mitigator(),
      domains: [
        {
          name: 'example',
          dnsNames: ['client.example.net'],
          pskIdentities: ['example-psk'],
          prefixes: [prefix('203.0.113.0/24')]
        }
      ],
      log: { ...silentLog, error: (event) => this.faults.push(event) },
      onEvent: (event) => this.onEvent(event)
    })
  }

  store(): RecordStore {
    return {
      load: (): Promise<LoadedCollection> =>
        Promise.resolve({ records: [...this.records].map(([key, value]) => ({ key, value })), damaged: [] }),
      commit: (changes: readonly RecordChange[]): Promise<void> => {
        if (this.storeFails) return Promise.reject(new UnavailableError('STORE_DOWN', 'no disk', true))
        for (const change of changes) {
          if (change.kind === 'put') this.records.set(change.key, change.value)
          else this.records.delete(change.key)
        }
        return Promise.resolve()
      },
      close: () => Promise.resolve()
    }
  }

  mitigator(): Mitigator {
    return {
      name: 'map',
      apply: async (plan) => {
        this.calls.push(`apply ${plan.id}`)
        await Promise.resolve()
        this.plans.set(plan.id, plan)
      },
      withdraw: async (id) => {
        this.calls.push(`withdraw ${id}`)
        await Promise.resolve()
        this.plans.delete(id)
      },
      inForce: () => Promise.resolve([...this.plans.keys()]),
      counters: () => Promise.resolve(new Map()),
      close: () => Promise.resolve()
    }
  }
}

/** A DOTS client by hand: one CoAP session over one secure endpoint. */
class Client {
  readonly answers: Seen[] = []
  established = false
  #endpoint: SecureEndpoint | undefined
  #peer: PeerId | undefined
  #next = 1
  readonly #driver: Driver<Parameters<CoapSession['handle']>[0], NonNullable<ReturnType<CoapSession['poll']>>>

  constructor(world: World) {
    const session = new CoapSession({ parameters: defaultParameters, entropy: seededEntropy(2) })
    this.#driver = new Driver(session, world.clock, (output) => {
      if (output.kind === 'send' && this.#peer !== undefined) this.#endpoint?.send(this.#peer, output.bytes)
      if (output.kind === 'response') this.answers.push(see(output.response satisfies CoapResponse))
    })
  }

  async connect(world: World, credentials: ClientEndpointOptions['credentials']): Promise<void> {
    this.#endpoint = await world.site.openSecureEndpoint(
      { role: 'client', local: { address: address('203.0.113.9'), port: 0 }, credentials },
      {
        onBatch: (batch) => {
          for (let i = 0; i < batch.count; i++) this.#driver.feed({ kind: 'datagram', bytes: batch.bytes(i) })
        },
        onSession: (event) => {
          this.established = event.kind === 'established'
        }
      }
    )
    const remote = { address: address('192.0.2.250'), port: 4646 }
    this.#peer = this.#endpoint.connect({ remote, serverName: 'server.example.net' })
    await world.clock.runUntil(() => this.established, Seconds(10))
  }

  async request(
    world: World,
    method: number,
    options: readonly CoapOption[],
    payload: Uint8Array = new Uint8Array(0)
  ): Promise<Seen | undefined> {
    const before = this.answers.length
    const exchange = this.#next++ as OutgoingExchange
    this.#driver.feed({
      kind: 'request',
      exchange,
      request: { method, options, payload },
      confirmable: false
    })
    await world.clock.runUntil(() => this.answers.length > before, Seconds(10))
    return this.answers[before]
  }

  put(world: World, id: number, target: string): Promise<Seen | undefined> {
    const options = [...mitigatePath(CUID, mid(id)), uintOption(OptionNumber.contentFormat, 271)]
    const scope = [{ targetPrefix: [target], lifetime: 600 }]
    return this.request(world, Method.put, options, encodeSignal({ mitigationScope: { scope } }))
  }

  async close(): Promise<void> {
    this.#driver.stop()
    await this.#endpoint?.destroy()
  }
}

const certificate = simulatedCertificate({
  authority: 'CA',
  subject: 'client',
  dnsNames: ['client.example.net']
})

describe('hostDotsServer on a simulated network', () => {
  const leaks = new LeakCheck()
  afterEach(() => leaks.check())

  it.each([
    ['a certificate', certificate],
    ['a pre-shared key', { kind: 'psk', identity: 'example-psk', key: PSK } as const]
  ])('serves a client that shows %s, from handshake to filter', async (_, credentials) => {
    const world = new World(leaks)
    const host = await world.serve()
    const client = new Client(world)
    await client.connect(world, credentials)
    expect((await client.put(world, 1, '203.0.113.7/32'))?.code).toBe('2.01')
    await world.clock.settle()
    expect([...world.plans.values()].map(({ target }) => target.prefixes)).toEqual([
      [prefix('203.0.113.7/32')]
    ])
    expect(host.sizes()).toEqual({ sessions: 1, clients: 1, mitigations: 1 })
    expect((await client.request(world, Method.delete, mitigatePath(CUID, mid(1))))?.code).toBe('2.02')
    await world.clock.advance(Seconds(121))
    expect(world.plans.size).toBe(0)
    await client.close()
    await host.stop()
  })

  it('tells who asked, for what, and what came of it', async () => {
    const world = new World(leaks)
    const host = await world.serve()
    const client = new Client(world)
    await client.connect(world, certificate)
    await client.put(world, 1, '198.51.100.7/32')
    const request = world.events.find(({ kind }) => kind === 'request')
    expect(request).toMatchObject({
      identity: 'dns:client.example.net',
      domain: 'example',
      method: 'PUT',
      cuid: CUID,
      mitigationId: 1,
      targets: ['198.51.100.7/32'],
      outcome: 'foreign-target',
      answer: '4.00'
    })
    await client.close()
    await host.stop()
  })

  it('goes on after a crash with what it had acknowledged, and calls the mitigator no more than needed', async () => {
    const world = new World(leaks)
    const crashed = await world.serve()
    const client = new Client(world)
    await client.connect(world, certificate)
    await client.put(world, 1, '203.0.113.7/32')
    await world.clock.settle()
    await client.close()
    world.provider.crash()
    await crashed.stop()
    world.calls.length = 0
    const host = await world.serve()
    await world.clock.settle()
    expect(host.sizes()).toMatchObject({ sessions: 0, mitigations: 1 })
    expect(world.calls).toEqual([])
    expect(world.plans.size).toBe(1)
    await host.stop()
  })

  it('answers 5.03 while its store is down, and 2.01 when it is back', async () => {
    const world = new World(leaks)
    const host = await world.serve()
    const client = new Client(world)
    await client.connect(world, certificate)
    world.storeFails = true
    expect((await client.put(world, 1, '203.0.113.7/32'))?.code).toBe('5.03')
    expect(world.calls).toEqual([])
    world.storeFails = false
    expect((await client.put(world, 1, '203.0.113.7/32'))?.code).toBe('2.01')
    await client.close()
    await host.stop()
  })

  it('lets go of the network, and has not touched the mitigator, when an address cannot be bound', async () => {
    const world = new World(leaks)
    const first = await world.serve()
    world.plans.set('of-the-first/1/x' as PlanId, {
      id: 'of-the-first/1/x' as PlanId,
      target: { prefixes: [], ports: [], protocols: [] },
      action: 'discard'
    })
    world.calls.length = 0
    await expect(world.serve()).rejects.toThrow(UnavailableError)
    expect(world.calls).toEqual([])
    await first.stop()
  })

  it('a fault while one request is handled does not keep the next from being answered', async () => {
    const world = new World(leaks)
    world.onEvent = ({ kind }) => {
      if (kind !== 'request' || world.faults.length > 0) return
      throw new Error('an audit trail that breaks its promise')
    }
    const host = await world.serve()
    const client = new Client(world)
    await client.connect(world, certificate)
    expect((await client.put(world, 1, '203.0.113.7/32'))?.code).toBe('2.01')
    expect((await client.put(world, 2, '203.0.113.8/32'))?.code).toBe('2.01')
    expect(world.faults).toEqual(['server.fault'])
    await client.close()
    await host.stop()
  })
})
