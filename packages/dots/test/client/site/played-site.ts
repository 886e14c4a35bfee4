import { Code, OptionNumber, decodeMessage, encodeMessage, formatMethod, uintOption } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import {
  Instant,
  Milliseconds,
  Seconds,
  WallTime,
  after,
  between,
  formatIpPrefix,
  inSeconds,
  prefixContains,
  prefixContainsAddress
} from '@breakwater/core'
import type { Duration, IpPrefix } from '@breakwater/core'
import { MitigationStatusCode, decodeSignal, encodeSignal } from '@breakwater/model'
import type { MitigationScopeEntry } from '@breakwater/model'
import { seededEntropy } from '@breakwater/testing'
import { DotsClient } from '../../../src/client/client.ts'
import type { ClientEvent, ClientInput } from '../../../src/client/client-io.ts'
import type { ConnectionId } from '../../../src/client/connection/session-state.ts'
import type { ProtectionRequest } from '../../../src/client/protection.ts'
import { DomainName, ProtectionId, parseCuid } from '../../../src/domain/identifier.ts'
import type { Cuid } from '../../../src/domain/identifier.ts'
import type { RecordChange, StoredRecord } from '../../../src/domain/record-store.ts'
import { NUMBERINGS, REQUESTS } from '../../../src/client/memory/client-records.ts'
import type { Site } from '../../../src/domain/site.ts'
import type { Target } from '../../../src/domain/target.ts'
import { coversTarget } from '../../../src/multihoming/compiler.ts'
import type { LegalPath } from '../../../src/multihoming/legal-path.ts'
import { targetsOverlap } from '../../../src/multihoming/overlap.ts'
import { parseTarget } from '../../../src/signal/mapper.ts'
import { pathText } from '../../../src/signal/resource.ts'

const START = 1_767_225_600_000
const ROUND_TRIP = 20

interface Call {
  readonly at: Instant
  /** It goes on when the client is killed. */
  readonly isServers?: boolean
  readonly act: () => void
}

/** One mitigation request that the client sent. */
export interface Told {
  readonly at: Instant
  readonly server: string
  readonly method: string
  readonly mid: number
  readonly prefixes: readonly IpPrefix[]
}

/**
 * A client at a site that changes, and servers that do what RFC 9132 §4.4.1.3 says, in virtual time. What is sent to a server
 * about a prefix that is not its own at that moment is noted, and so is what leaves by a path that is not legal.
 */
export class PlayedSite {
  now: Instant = Instant(0)
  site: Site
  client: DotsClient
  readonly told: Told[] = []
  readonly events: ClientEvent[] = []
  readonly wrong: string[] = []
  /** What stands at each server. */
  readonly standing = new Map<string, Map<number, Target>>()
  /** Domains whose servers hear nothing. */
  readonly mute = new Set<string>()
  /** Domains whose servers shake hands and answer heartbeats, and say nothing to requests. */
  readonly deaf = new Set<string>()
  /** Servers that say of everything they protect that its attack has stopped. */
  readonly calm = new Set<string>()
  /** Handshakes that were started, by server. */
  readonly connects: string[] = []
  readonly #paths = new Map<ConnectionId, LegalPath>()
  readonly #established = new Set<ConnectionId>()
  /** What the client has stored, by collection and key; and what its operator wants. */
  readonly #disk = new Map<string, Extract<RecordChange, { kind: 'put' }>>()
  readonly #archive = new Map<string, ProtectionRequest>()
  /** When each mitigation ends that is not refreshed. */
  readonly #ends = new Map<string, Instant>()
  #calls: Call[] = []
  #messageId = 1

  constructor(site: Site) {
    this.site = site
    this.client = new DotsClient({ site, cuids: cuidsOf(site), entropy: seededEntropy(3) })
    this.#begin()
  }

  #begin(): void {
    const records = { requests: this.#stored(REQUESTS), numberings: this.#stored(NUMBERINGS) }
    const protections = [...this.#archive.values()]
    this.feed({ kind: 'resume', wallClock: this.#wallClock, records, protections })
    this.feed({ kind: 'start', wallClock: this.#wallClock })
  }

  get #wallClock(): WallTime {
    return WallTime(START + this.now)
  }

  /** The client is killed, and starts again at this site with what it has stored. What it has not sent is never sent. */
  restart(site: Site = this.site): void {
    this.#paths.clear()
    this.#established.clear()
    this.#calls = this.#calls.filter(({ isServers }) => isServers === true)
    this.site = site
    this.client = new DotsClient({ site, cuids: cuidsOf(site), entropy: seededEntropy(4) })
    this.#begin()
  }

  #stored(wanted: string): StoredRecord[] {
    return [...this.#disk.values()].flatMap(({ collection, key, value }) =>
      collection === wanted ? [{ key, value }] : []
    )
  }

  /** Connections that the client has not closed. */
  get open(): readonly string[] {
    return [...this.#paths.values()].map(({ server }) => server)
  }

  feed(input: ClientInput): void {
    this.client.handle(input, this.now)
    this.#drain()
  }

  change(site: Site): void {
    this.site = site
    this.feed({ kind: 'site', site, cuids: cuidsOf(site) })
  }

  protect(id: string, target: Target, more: Partial<ProtectionRequest> = {}): void {
    const usual = { lifetime: 36_000, allowPartial: false, require: 'all' } as const
    const request = { ...usual, id: ProtectionId(id), target, ...more }
    this.#archive.set(id, request)
    this.feed({ kind: 'protect', request })
  }

  release(id: string): void {
    this.#archive.delete(id)
    this.feed({ kind: 'release', id: ProtectionId(id) })
  }

  state(id: string): string | undefined {
    return this.client.protection(ProtectionId(id))?.state
  }

  /** All sessions with a server end. */
  lose(server: string): void {
    for (const [connection, path] of this.#paths) if (path.server === server) this.#end(connection)
  }

  pass(duration: Duration): void {
    const end = after(this.now, duration)
    for (;;) {
      this.#calls.sort((x, y) => x.at - y.at)
      const call = this.#calls[0]
      const due = this.client.nextTimeout()
      const isCall = call !== undefined && (due === undefined || call.at <= due)
      const next = isCall ? call.at : due
      if (next === undefined || next > end) break
      if (next > this.now) this.now = next
      if (isCall) {
        this.#calls.shift()
        call.act()
      } else {
        this.client.handleTimeout(this.now)
        this.#drain()
      }
    }
    this.now = end
  }

  /** `isp-a: 198.51.100.7/32` for everything that stands. */
  mitigated(): string[] {
    return [...this.standing].flatMap(([server, targets]) =>
      [...targets.values()].flatMap(({ prefixes }) =>
        prefixes.map((each) => `${server}: ${formatIpPrefix(each)}`)
      )
    )
  }

  /** Whether a server protects all of it. */
  covers(server: string, target: Target): boolean {
    return coversTarget([...(this.standing.get(server)?.values() ?? [])], target)
  }

  #later(act: () => void): void {
    this.#calls.push({ at: after(this.now, Milliseconds(ROUND_TRIP)), act })
  }

  #end(connection: ConnectionId): void {
    if (!this.#paths.delete(connection)) return
    if (this.#established.delete(connection))
      this.feed({ kind: 'session-closed', connection, reason: 'alert' })
    else this.feed({ kind: 'session-failed', connection, reason: 'timeout' })
  }

  #drain(): void {
    for (let output = this.client.poll(); output !== undefined; output = this.client.poll())
      switch (output.kind) {
        case 'connect': {
          const { connection, path } = output
          this.connects.push(path.server)
          this.#paths.set(connection, path)
          this.#checkPath(path, 'a handshake')
          this.#later(() => this.#shakeHands(connection))
          break
        }
        case 'close': {
          const { connection } = output
          this.#later(() => this.#end(connection))
          break
        }
        case 'send':
          this.#sent(output.connection, decodeMessage(output.bytes))
          break
        case 'event':
          this.events.push(output.event)
          break
        case 'retime':
        case 'read-routers':
        case 'resolve':
        case 'resolve-target':
        case 'locate':
        case 'remember':
          break
        case 'store': {
          const { change } = output
          const key = `${change.collection} ${change.key}`
          if (change.kind === 'put') this.#disk.set(key, change)
          else this.#disk.delete(key)
          break
        }
      }
  }

  #shakeHands(connection: ConnectionId): void {
    const path = this.#paths.get(connection)
    if (path === undefined) return
    if (!this.mute.has(path.domain)) {
      this.#established.add(connection)
      this.feed({ kind: 'session-established', connection })
      return
    }
    this.#paths.delete(connection)
    this.feed({ kind: 'session-failed', connection, reason: 'timeout' })
  }

  /** RFC 9284 §5.1: never from an address that another domain assigned. */
  #checkPath({ domain, source }: LegalPath, what: string): void {
    const others = this.site.domains.filter(({ name }) => name !== domain)
    if (others.some(({ prefixes }) => prefixes.some((each) => prefixContainsAddress(each, source))))
      this.wrong.push(`${what} of ${domain} from a source of another`)
  }

  #sent(connection: ConnectionId, message: CoapMessage): void {
    const path = this.#paths.get(connection)
    if (path === undefined || message.code === 0 || message.code >= 32) return
    const { server, domain } = path
    const text = `${formatMethod(message.code)} ${pathText(message.options)}`
    const mid = Number(/mid=(\d+)$/.exec(text)?.[1] ?? -1)
    const method = formatMethod(message.code)
    const asked = method === 'PUT' && mid >= 0 ? targetIn(message) : undefined
    if (mid >= 0) this.told.push({ at: this.now, server, method, mid, prefixes: asked?.prefixes ?? [] })
    for (const prefix of asked?.prefixes ?? [])
      if (!this.#isEntitled(domain, prefix))
        this.wrong.push(`${server} is asked about ${formatIpPrefix(prefix)} at ${this.now}`)
    this.#checkPath(path, 'a request')
    if (this.mute.has(domain) || (this.deaf.has(domain) && mid >= 0)) return
    this.#later(() => this.#serve(connection, server, message, mid, asked))
  }

  #isEntitled(domain: string, prefix: IpPrefix): boolean {
    const { domains, providerIndependent } = this.site
    const owner = domains.find(({ name }) => name === domain)
    const own = [...(owner?.prefixes ?? []), ...providerIndependent.map((each) => each.prefix)]
    return owner !== undefined && own.some((each) => prefixContains(each, prefix))
  }

  #serve(
    connection: ConnectionId,
    server: string,
    message: CoapMessage,
    mid: number,
    asked: Target | undefined
  ): void {
    const standing = this.standing.get(server) ?? new Map<number, Target>()
    this.standing.set(server, standing)
    const method = formatMethod(message.code)
    if (pathText(message.options).includes('/hb')) this.#answer(connection, message, Code.changed)
    else if (method === 'DELETE') {
      standing.delete(mid)
      this.#answer(connection, message, Code.deleted)
    } else if (method === 'GET') {
      const found = mid < 0 ? [...standing.keys()] : [mid].filter((each) => standing.has(each))
      const scope = found.map((each) => {
        const end = this.#ends.get(`${server} ${each}`) ?? this.now
        const status = this.calm.has(server)
          ? MitigationStatusCode.attackStopped
          : MitigationStatusCode.attackSuccessfullyMitigated
        return { mid: each, lifetime: Math.round(inSeconds(between(this.now, end))), status }
      })
      this.#answer(connection, message, scope.length === 0 ? Code.notFound : Code.content, scope)
    } else if (asked !== undefined) {
      const isKnown = standing.has(mid)
      const lifetime = lifetimeIn(message)
      const overlapping = [...standing].filter(([, target]) => targetsOverlap(target, asked))
      if (overlapping.some(([other]) => other > mid)) {
        this.#answer(connection, message, Code.conflict)
        return
      }
      for (const [other] of overlapping) standing.delete(other)
      standing.set(mid, asked)
      this.#endAt(after(this.now, Seconds(lifetime)), server, mid)
      this.#answer(connection, message, isKnown ? Code.changed : Code.created, [{ mid, lifetime }])
    }
  }

  #endAt(at: Instant, server: string, mid: number): void {
    const key = `${server} ${mid}`
    this.#ends.set(key, at)
    const act = (): void => {
      if (this.#ends.get(key) === at) this.standing.get(server)?.delete(mid)
    }
    this.#calls.push({ at, act, isServers: true })
  }

  #answer(
    connection: ConnectionId,
    { token, options }: CoapMessage,
    code: number,
    scope?: MitigationScopeEntry[]
  ): void {
    if (!this.#paths.has(connection)) return
    const isObserved = options.some(({ number }) => number === (OptionNumber.observe as number))
    const more =
      scope === undefined || scope.length === 0 ? [] : [uintOption(OptionNumber.contentFormat, 271)]
    const bytes = encodeMessage({
      type: 'non-confirmable',
      code,
      messageId: this.#messageId++ % 65_536,
      token,
      options: isObserved ? [uintOption(OptionNumber.observe, this.#messageId), ...more] : more,
      payload:
        scope === undefined || scope.length === 0
          ? new Uint8Array(0)
          : encodeSignal({ mitigationScope: { scope } })
    })
    this.feed({ kind: 'datagram', connection, bytes })
  }
}

function lifetimeIn(message: CoapMessage): number {
  const { lifetime } = decodeSignal(message.payload).mitigationScope?.scope?.[0] ?? {}
  if (lifetime === undefined || lifetime < 0) throw new Error('a request without an end')
  return lifetime
}

function targetIn(message: CoapMessage): Target {
  const parsed = parseTarget(decodeSignal(message.payload).mitigationScope?.scope?.[0] ?? {})
  if (!parsed.ok) throw new Error('a request without a target')
  return parsed.value
}

/** Each domain has a credential of its own. */
export function cuidsOf(site: Site): ReadonlyMap<DomainName, Cuid> {
  return new Map(
    site.domains.map(({ name }) => {
      const cuid = parseCuid(`cuid-of-${name}`.padEnd(22, '0'))
      if (cuid === undefined) throw new Error('no cuid')
      return [DomainName(name), cuid]
    })
  )
}
