import { Seconds } from '@breakwater/core'
import type { ServerPolicy, StoredRecord } from '@breakwater/dots'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ServerBed, certificate, cuid } from './server-bed.ts'
import type { Peer } from './server-bed.ts'

const DOWN = { code: 'DOWN', message: 'not now', retryable: true }
const PREFIXES = [
  '192.0.2.0/24',
  '192.0.2.0/28',
  '192.0.2.7/32',
  '192.0.2.128/25',
  '2001:db8::/48',
  '2001:db8::7/128'
]
const CLIENTS = [
  { identity: certificate('client.example.net'), cuid: cuid('first') },
  { identity: certificate('second.example.net'), cuid: cuid('second') }
]

type Step =
  | { kind: 'put'; client: number; id: number; prefix: string; lifetime: number; waits: boolean }
  | { kind: 'fall-silent'; client: number }
  | { kind: 'delete' | 'observe'; client: number; id: number }
  | { kind: 'advance'; seconds: number }
  | { kind: 'reconnect'; client: number }
  | { kind: 'store' | 'mitigator'; works: boolean }
  | { kind: 'hold'; what: 'store' | 'apply' | 'withdraw' }
  | { kind: 'release' | 'restart' }

const client = fc.nat(1)
const id = fc.nat(4)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      client,
      id,
      prefix: fc.constantFrom(...PREFIXES),
      lifetime: fc.constantFrom(3, 60, 3600),
      waits: fc.boolean()
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'observe' as const), client, id })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      seconds: fc.constantFrom(0.5, 2, 40, 130, 600)
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('reconnect' as const, 'fall-silent' as const),
      client
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('store' as const, 'mitigator' as const),
      works: fc.boolean()
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('hold' as const),
      what: fc.constantFrom('store' as const, 'apply' as const, 'withdraw' as const)
    })
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('release' as const, 'restart' as const) }) }
)

const CONFLICT_POLICIES = ['accept', 'reject', 'prefer-latest', 'reject-all'] as const

class World {
  bed: ServerBed
  peers: Peer[]
  readonly #policy: Partial<ServerPolicy>

  constructor(clientConflict: (typeof CONFLICT_POLICIES)[number]) {
    this.#policy = { clientConflict }
    this.bed = new ServerBed({ policy: this.#policy })
    this.peers = this.connect()
  }

  connect(): Peer[] {
    return CLIENTS.map(({ identity }) => this.bed.establish(identity))
  }

  /** A crash: what the store and the mitigator have is all that is left. */
  restart(): void {
    const records: StoredRecord[] = [...this.bed.records].map(([key, value]) => ({ key, value }))
    this.bed = new ServerBed({
      records,
      inForce: [...this.bed.inForce.keys()],
      wallClock: this.bed.wallClock(),
      policy: this.#policy
    })
    this.peers = this.connect()
  }

  take(one: Step): void {
    const { bed, peers } = this
    switch (one.kind) {
      case 'put':
        peers[one.client]?.put(
          one.id,
          { targetPrefix: [one.prefix], lifetime: one.lifetime, triggerMitigation: !one.waits },
          CLIENTS[one.client]?.cuid
        )
        return
      case 'delete':
        peers[one.client]?.delete(one.id, CLIENTS[one.client]?.cuid)
        return
      case 'observe':
        peers[one.client]?.observe(one.id, CLIENTS[one.client]?.cuid)
        return
      case 'advance':
        bed.advance(Seconds(one.seconds))
        return
      case 'reconnect': {
        const before = peers[one.client]
        if (before !== undefined)
          bed.feed({ kind: 'session-closed', peer: before.id, reason: 'close-notify' })
        peers[one.client] = bed.establish(CLIENTS[one.client]?.identity)
        return
      }
      case 'fall-silent': {
        const peer = peers[one.client]
        if (peer !== undefined) peer.answersHeartbeats = false
        return
      }
      case 'store':
        bed.storeFailure = one.works ? undefined : DOWN
        return
      case 'mitigator':
        bed.mitigatorFailure = one.works ? undefined : DOWN
        return
      case 'hold':
        bed.hold.add(one.what)
        return
      case 'release':
        bed.release()
        return
      case 'restart':
        this.restart()
    }
  }

  /** All works again, and has for a while. */
  heal(): void {
    this.bed.storeFailure = undefined
    this.bed.mitigatorFailure = undefined
    this.bed.release()
    for (const { id: peer } of this.peers)
      this.bed.feed({ kind: 'session-closed', peer, reason: 'close-notify' })
    this.peers = this.connect()
    this.bed.advance(Seconds(200))
  }

  /** Keys of what the clients are shown; of all, or of what they are told is in force, for how long so ever. */
  shown(isInForce = false): string[] {
    return this.peers.flatMap((peer, index) => {
      const { cuid: own } = CLIENTS[index] ?? { cuid: cuid('none') }
      const scope = peer.get(undefined, [], own)[0]?.body?.mitigationScope?.scope ?? []
      const told = isInForce ? scope.filter(({ status }) => status !== 7 && status !== 8) : scope
      return told.map(({ mid }) => `${own}/${mid}`)
    })
  }
}

function sorted(texts: Iterable<string>): string[] {
  return [...texts].toSorted((a, b) => (a < b ? -1 : 1))
}

const policy = fc.constantFrom(...CONFLICT_POLICIES)

describe('whatever clients, store, mitigator and crashes do', () => {
  it('once all works again, what is shown, what is stored and what is in force are the same', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), policy, (steps, clientConflict) => {
        const world = new World(clientConflict)
        for (const one of steps) world.take(one)
        world.heal()
        const shown = sorted(world.shown())
        expect(sorted(world.bed.records.keys())).toEqual(shown)
        const plans = [...world.bed.inForce.keys()].map((plan) => plan.slice(0, plan.lastIndexOf('/')))
        expect(sorted(plans)).toEqual(sorted(world.shown(true)))
      }),
      { numRuns: 1500 }
    )
  }, 30_000)

  it('and when every lifetime is over, nothing is left', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), policy, (steps, clientConflict) => {
        const world = new World(clientConflict)
        for (const one of steps) world.take(one)
        world.heal()
        for (const peer of world.peers)
          world.bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'close-notify' })
        world.bed.advance(Seconds(3700))
        expect(world.bed.plans()).toEqual([])
        expect(world.bed.records.size).toBe(0)
        expect(world.bed.machine.sizes()).toEqual({ sessions: 0, clients: 0, mitigations: 0 })
        expect(
          world.bed.machine
            .timers()
            .map(({ name }) => name)
            .toSorted()
        ).toEqual(['clock', 'status'])
      }),
      { numRuns: 150 }
    )
  }, 30_000)
})
