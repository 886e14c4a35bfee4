import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Minutes, parseIpAddress, WallTime } from '@breakwater/core'
import type {
  ClientCredentials,
  ClientEndpointOptions,
  ConnectRequest,
  Log,
  PeerId,
  ResumableSession,
  SecureEndpoint,
  SecureEndpointHandlers,
  SecureEndpointOptions,
  SessionEvent,
  SocketAddress
} from '@breakwater/core'
import type { DomainName } from '@breakwater/dots'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { openTlsEndpoint } from '@breakwater/runtime'
import { address, RecordingHandlers, VirtualClock } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ClientEndpoints } from '../../src/client/client-endpoints.ts'
import { KeptSessions } from '../../src/client/kept-sessions.ts'
import { TicketRenewal } from '../../src/client/ticket-renewal.ts'

const hours = (count: number) => Minutes(count * 60)
const credentials: ClientCredentials = { kind: 'psk', identity: 'home', key: new Uint8Array(16).fill(0xa5) }
const remote: SocketAddress = { address: address('192.0.2.1'), port: 4646 }
const options: ClientEndpointOptions = {
  role: 'client',
  local: { address: address('192.0.2.7'), port: 0 },
  interface: 'wan0',
  credentials
}

let events: string[]
beforeEach(() => (events = []))
const note = (event: string): void => void events.push(event)
const log: Log = { debug: note, info: note, warn: note, error: note }

/** An endpoint whose handshakes end as the test says, each with a ticket of 84 hours. */
class ScriptedEndpoint implements SecureEndpoint {
  readonly local: SocketAddress
  readonly requests: ConnectRequest[] = []
  isUp = true
  isDestroyed = false
  readonly clock: VirtualClock
  readonly options: SecureEndpointOptions
  readonly handlers: SecureEndpointHandlers
  readonly outcome: 'established' | 'failed'
  #sessions: readonly ResumableSession[] = []

  constructor(
    clock: VirtualClock,
    given: SecureEndpointOptions,
    handlers: SecureEndpointHandlers,
    outcome: 'established' | 'failed'
  ) {
    this.clock = clock
    this.options = given
    this.handlers = handlers
    this.outcome = outcome
    this.local = given.local
  }

  connect(request: ConnectRequest): PeerId {
    this.requests.push(request)
    const peer = 7 as PeerId
    if (this.outcome === 'established') this.getTicket()
    const path = { local: this.local, remote }
    const identity = { kind: 'psk', identity: '' } as const
    const event: SessionEvent =
      this.outcome === 'established'
        ? { kind: 'established', peer, identity, path }
        : { kind: 'failed', peer, reason: 'timeout' }
    queueMicrotask(() => this.handlers.onSession(event))
    return peer
  }

  getTicket(): void {
    const expiresAtMs = this.clock.wallClock() + hours(84)
    this.#sessions = [{ remote, serverName: 'dots.example', state: new Uint8Array(1), expiresAtMs }]
  }

  resumableSessions = (): readonly ResumableSession[] => this.#sessions
  send = (): boolean => true
  close = (): void => undefined
  maximumPlaintext = (): number => (this.isUp ? 1000 : 0)
  stats = (): Readonly<Record<string, number>> => ({})

  async destroy(): Promise<void> {
    this.isDestroyed = true
  }
}

describe('the ticket of a session that lasts', () => {
  let clock: VirtualClock
  let opened: ScriptedEndpoint[]
  let renewed: ResumableSession[]
  let isAtPeace: boolean
  let outcome: 'established' | 'failed'
  let renewal: TicketRenewal
  let endpoint: ScriptedEndpoint

  beforeEach(() => {
    clock = new VirtualClock()
    opened = []
    renewed = []
    isAtPeace = true
    outcome = 'established'
    renewal = new TicketRenewal({
      clock,
      log,
      isAtPeace: () => isAtPeace,
      onRenewed: (_, sessions) => renewed.push(...sessions),
      open: async (given, handlers) => {
        const made = new ScriptedEndpoint(clock, given, handlers, outcome)
        opened.push(made)
        return made
      }
    })
    endpoint = new ScriptedEndpoint(clock, options, new RecordingHandlers(), 'established')
    endpoint.getTicket()
    renewal.watch(endpoint, options, 1 as PeerId, remote)
  })
  afterEach(() => renewal.close())

  it('is replaced a day before it ends, by one full handshake from the same place, over at once', async () => {
    await clock.advance(hours(59.9))
    expect(opened).toEqual([])
    await clock.advance(hours(0.2))
    expect(opened).toHaveLength(1)
    expect(opened[0]).toMatchObject({
      options: { ...options, sessions: [] },
      requests: [{ remote, serverName: 'dots.example' }],
      isDestroyed: true
    })
    expect(renewed).toHaveLength(1)
    expect(events).toEqual(['session.ticket_renewed'])
  })

  it('never is less than a day from its end for as long as there is peace', async () => {
    for (let day = 1; day <= 30; day++) {
      await clock.advance(hours(24))
      const { expiresAtMs = clock.wallClock() + hours(84) } = renewed.at(-1) ?? {}
      expect(expiresAtMs - clock.wallClock()).toBeGreaterThanOrEqual(day < 3 ? 0 : hours(23.9))
    }
    expect(opened).toHaveLength(12)
  })

  it('is left alone in an attack, and replaced within the hour after it', async () => {
    isAtPeace = false
    await clock.advance(hours(70))
    expect(opened).toEqual([])
    isAtPeace = true
    await clock.advance(hours(1))
    expect(renewed).toHaveLength(1)
  })

  it('is asked for once in an hour at most where that fails', async () => {
    outcome = 'failed'
    await clock.advance(hours(70.5))
    expect(opened).toHaveLength(11)
    expect(opened.every(({ isDestroyed }) => isDestroyed)).toBe(true)
    expect(new Set(events)).toEqual(new Set(['session.ticket_not_renewed']))
  })

  it('is of no concern once the session has gone', async () => {
    endpoint.isUp = false
    await clock.advance(hours(200))
    expect(opened).toEqual([])
  })
})

/** Waits for what real sockets bring. */
function eventually(what: string, condition: () => boolean): Promise<void> {
  const timeout = 10_000 * Number(process.env['TIMESCALE'] ?? '1')
  return vi.waitFor(() => expect(condition(), what).toBe(true), { timeout, interval: 5 })
}

function loopback(text: string): SocketAddress {
  const parsed = parseIpAddress(text)
  if (parsed === undefined) throw new Error('no address')
  return { address: parsed, port: 0 }
}

describe('over real DTLS', () => {
  let folder: string
  const ends: (() => Promise<unknown>)[] = []
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'breakwater-'))))
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A client of its own process, as far as the sessions that it keeps go. */
  async function startClient(
    clock: VirtualClock
  ): Promise<{ endpoints: ClientEndpoints; kept: KeptSessions }> {
    const kept = await KeptSessions.open(join(folder, 'sessions'), log)
    const endpoints = new ClientEndpoints({
      open: openDtlsEndpoint,
      openStream: openTlsEndpoint,
      credentials: new Map([['isp1' as DomainName, credentials]]),
      kept,
      clock,
      log,
      isAtPeace: () => true
    })
    ends.push(
      () => kept.close(),
      () => endpoints.close()
    )
    return { endpoints, kept }
  }

  it('a renewed ticket is there for the next process, and for the next session of this one', async () => {
    const clock = new VirtualClock({ wallClock: WallTime(Date.now()) })
    const atServer = new RecordingHandlers()
    const preSharedKeys = new Map([[credentials.identity, credentials.key]])
    const server = await openDtlsEndpoint(
      { role: 'server', local: loopback('127.0.0.1'), preSharedKeys },
      atServer
    )
    ends.push(() => server.destroy())
    const first = await startClient(clock)
    const handlers = new RecordingHandlers()
    const request = { remote: server.local, serverName: 'dots.example' }
    const open = { role: 'client', local: loopback('127.0.0.2'), credentials } as const
    const endpoint = await first.endpoints.open(open, handlers)
    ends.push(() => endpoint.destroy())
    const peer = endpoint.connect(request)
    await eventually('a session', () => handlers.isEstablished(peer))
    const [early] = first.kept.of(credentials, 'isp1')

    await clock.advance(hours(61))
    await eventually('a renewal', () => events.includes('session.ticket_renewed'))
    expect(server.stats()).toMatchObject({ handshakesFinished: 2, handshakesResumed: 0 })
    const [late] = first.kept.of(credentials, 'isp1')
    expect(late?.state).not.toEqual(early?.state)
    // The session that was there is left as it was; the second one is over.
    expect(endpoint.maximumPlaintext(peer)).toBeGreaterThan(0)
    await eventually(
      'the end of the second',
      () => atServer.events.filter(({ kind }) => kind === 'closed').length === 1
    )

    expect(endpoint.resumableSessions?.()[0]?.state).toEqual(late?.state)
    await first.endpoints.close()
    await first.kept.close()
    const next = await startClient(clock)
    const later = new RecordingHandlers()
    const another = await next.endpoints.open(open, later)
    ends.push(() => another.destroy())
    expect(next.kept.of(credentials, 'isp1')[0]?.state).toEqual(late?.state)
    const resumed = another.connect(request)
    await eventually('a session of the next process', () => later.isEstablished(resumed))
    await eventually('it at the server', () => server.stats()['handshakesResumed'] === 1)
  })

  it('a ticket of one address of a server is good at another, over whatever endpoint of the domain is open', async () => {
    const clock = new VirtualClock({ wallClock: WallTime(Date.now()) })
    const preSharedKeys = new Map([[credentials.identity, credentials.key]])
    const ticketKeys = [new Uint8Array(32).fill(9)]
    const [one, other] = await Promise.all(
      ['127.0.0.1', '127.0.0.3'].map((at) =>
        openDtlsEndpoint(
          { role: 'server', local: loopback(at), preSharedKeys, ticketKeys },
          new RecordingHandlers()
        )
      )
    )
    const { endpoints } = await startClient(clock)
    const handlers = new RecordingHandlers()
    const [first, second] = await Promise.all(
      ['127.0.0.2', '127.0.0.4'].map((from) =>
        endpoints.open({ role: 'client', local: loopback(from), credentials }, handlers)
      )
    )
    if (!one || !other || !first || !second) throw new Error('no endpoints')
    for (const each of [one, other, first, second]) ends.push(() => each.destroy())
    const serverName = 'dots.example'
    const full = first.connect({ remote: one.local, serverName })
    await eventually('a session', () => handlers.isEstablished(full))
    const resumed = second.connect({ remote: other.local, serverName })
    await eventually('a session elsewhere', () => handlers.isEstablished(resumed))
    await eventually('it at the server', () => other.stats()['handshakesResumed'] === 1)
    expect(one.stats()).toMatchObject({ handshakesResumed: 0 })
  })
})
