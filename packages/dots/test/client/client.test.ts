import { Code, OptionNumber, decodeMessage, encodeMessage, formatMethod, uintOption } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import { Instant, Milliseconds, WallTime, after } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import type { MitigationScopeEntry } from '@breakwater/model'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { DotsClient } from '../../src/client/client.ts'
import type { NamedTarget } from '../../src/domain/alias.ts'
import type { ClientEvent, ClientInput } from '../../src/client/client-io.ts'
import type { ConnectionId } from '../../src/client/connection/session-state.ts'
import { DomainName, ProtectionId, parseCuid } from '../../src/domain/identifier.ts'
import { pathText } from '../../src/signal/resource.ts'
import { target, twoProviders } from '../multihoming/sites.ts'

const cuid = parseCuid('dz6pHjaADkaFTbjr0JGBpw')!

interface Heard {
  readonly server: string
  readonly connection: ConnectionId
  readonly message: CoapMessage
  readonly text: string
  readonly mid: number
}

/** A client whose two servers are played by hand. */
class Played {
  now: Instant = Instant(0)
  readonly client = new DotsClient({
    site: twoProviders,
    cuids: new Map([
      [DomainName('isp-a'), cuid],
      [DomainName('isp-b'), cuid]
    ]),
    entropy: seededEntropy(3)
  })
  readonly heard: Heard[] = []
  readonly events: ClientEvent[] = []
  readonly #servers = new Map<ConnectionId, string>()
  #messageId = 1

  constructor() {
    this.feed({ kind: 'start', wallClock: WallTime(1_767_225_600_000) })
    this.pass(Milliseconds(20))
    for (const connection of this.#servers.keys()) this.feed({ kind: 'session-established', connection })
    this.pass(Milliseconds(30))
    for (const each of this.heard) this.answer(each, Code.notFound)
    this.pass(Milliseconds(30))
  }

  feed(input: ClientInput): void {
    this.client.handle(input, this.now)
    this.#drain()
  }

  protect(id: string, ...asked: (string | NamedTarget)[]): void {
    const named = asked.find((each) => typeof each !== 'string')
    const request = {
      target: target(...asked.filter((each) => typeof each === 'string')),
      ...(named === undefined ? {} : { named }),
      lifetime: 3600,
      allowPartial: false,
      require: 'all'
    } as const
    this.feed({ kind: 'protect', request: { id: ProtectionId(id), ...request } })
    for (const put of this.sent('PUT')) this.answer(put, Code.created, { mid: put.mid, lifetime: 3600 })
    this.pass(Milliseconds(50))
  }

  state(id: string): string | undefined {
    return this.client.protection(ProtectionId(id))?.state
  }

  /** Requests with a mid that the client sent, by method and server. */
  sent(method: string, server?: string): Heard[] {
    return this.heard.filter((each) => {
      return each.text.startsWith(method) && each.mid > 0 && (server === undefined || each.server === server)
    })
  }

  /** A notification of one server on the last observation. */
  notify(server: string, status: number): void {
    const observation = this.sent('GET', server).at(-1)!
    const scope = { mid: observation.mid, status, lifetime: 3000 }
    this.answer(observation, Code.content, scope, this.#messageId)
    this.pass(Milliseconds(50))
  }

  answer(to: Heard, code: number, scope?: MitigationScopeEntry, observe?: number): void {
    const options = observe === undefined ? [] : [uintOption(OptionNumber.observe, observe)]
    const bytes = encodeMessage({
      type: 'non-confirmable',
      code,
      messageId: this.#messageId++,
      token: to.message.token,
      options,
      payload: scope === undefined ? new Uint8Array(0) : encodeSignal({ mitigationScope: { scope: [scope] } })
    })
    this.feed({ kind: 'datagram', connection: to.connection, bytes })
  }

  pass(duration: Duration): void {
    const end = after(this.now, duration)
    for (
      let due = this.client.nextTimeout();
      due !== undefined && due <= end;
      due = this.client.nextTimeout()
    ) {
      if (due > this.now) this.now = due
      this.client.handleTimeout(this.now)
      this.#drain()
    }
    this.now = end
  }

  #drain(): void {
    for (let output = this.client.poll(); output !== undefined; output = this.client.poll()) {
      if (output.kind === 'connect') this.#servers.set(output.connection, output.path.server)
      if (output.kind === 'event') this.events.push(output.event)
      if (output.kind !== 'send') continue
      const message = decodeMessage(output.bytes)
      const server = this.#servers.get(output.connection) ?? ''
      const text = `${formatMethod(message.code)} ${pathText(message.options)}`
      const mid = Number(/mid=(\d+)$/.exec(text)?.[1] ?? 0)
      this.heard.push({ server, connection: output.connection, message, text, mid })
    }
  }
}

const STOPPED = 3

describe('an attack that is over', () => {
  it('ends a protection when its server says so, with a DELETE [RFC9132-4.4.2.2-S01]', () => {
    const played = new Played()
    played.protect('web', '198.51.100.7/32')
    expect(played.state('web')).toBe('protected')
    played.notify('isp-a', 2)
    expect(played.sent('DELETE')).toEqual([])
    played.notify('isp-a', STOPPED)
    expect(played.sent('DELETE').map((each) => each.server)).toEqual(['isp-a'])
    expect(played.state('web')).toBe('ending')
    played.answer(played.sent('DELETE')[0]!, Code.deleted)
    expect(played.state('web')).toBeUndefined()
    expect(played.events.at(-1)).toMatchObject({ kind: 'protection', status: { state: 'ended' } })
  })

  it('of a provider-independent target is over only when all servers say so', () => {
    const played = new Played()
    played.protect('own', '203.0.113.7/32')
    played.notify('isp-a', STOPPED)
    expect(played.sent('DELETE')).toEqual([])
    expect(played.state('own')).toBe('protected')
    played.notify('isp-b', STOPPED)
    expect(played.sent('DELETE').map((each) => each.server)).toEqual(['isp-a', 'isp-b'])
  })

  it('does not end a protection of which a name still waits for its addresses', () => {
    const played = new Played()
    const named = { names: ['www.example.net'], uris: [], aliases: [] }
    played.protect('web', '198.51.100.7/32', named)
    const failed = { kind: 'failed', reason: 'no answer' } as const
    played.feed({ kind: 'target-resolved', question: 1, outcome: failed })
    played.notify('isp-a', STOPPED)
    expect(played.sent('DELETE').map((each) => each.server)).toEqual(['isp-a'])
    expect(played.state('web')).toBe('waiting')
  })

  it("ends the part of one provider's prefixes and leaves the other's", () => {
    const played = new Played()
    played.protect('both', '198.51.100.7/32', '100.64.7.7/32')
    played.notify('isp-a', STOPPED)
    expect(played.sent('DELETE').map((each) => each.server)).toEqual(['isp-a'])
    expect(played.state('both')).toBe('protected')
    played.notify('isp-b', STOPPED)
    expect(played.sent('DELETE').map((each) => each.server)).toEqual(['isp-a', 'isp-b'])
    expect(played.state('both')).toBe('ending')
  })
})

describe('a client', () => {
  it('reports each change of a protection once', () => {
    const played = new Played()
    played.protect('web', '198.51.100.7/32')
    const told = played.events.flatMap((event) => (event.kind === 'protection' ? [event.status.state] : []))
    expect(told).toEqual(['asking', 'protected'])
  })

  it('replaces a protection that is asked for again under its name', () => {
    const played = new Played()
    played.protect('web', '198.51.100.7/32')
    played.protect('web', '100.64.7.7/32')
    expect(played.sent('DELETE').map((each) => each.server)).toEqual(['isp-a'])
    expect(played.client.protection(ProtectionId('web'))?.servers.map((each) => each.server)).toEqual([
      'isp-b'
    ])
  })

  it('lets nothing be released that it does not know', () => {
    const played = new Played()
    const before = played.heard.length
    played.feed({ kind: 'release', id: ProtectionId('nothing') })
    expect(played.heard.length).toBe(before)
  })

  it('shows its sessions with their paths, and its requests with whom they serve', () => {
    const played = new Played()
    played.protect('web', '198.51.100.7/32')
    const status = played.client.status(played.now)
    expect(status.sessions[0]).toMatchObject({
      server: 'isp-a',
      state: 'established',
      path: { source: '198.51.100.1', interface: 'wan-a', remote: '192.0.2.1', port: 4646 }
    })
    expect(status.requests).toMatchObject([{ server: 'isp-a', state: 'in-force', protections: ['web'] }])
  })
})
