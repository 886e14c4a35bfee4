import { Instant, WallTime } from '@breakwater/core'
import type { SessionFailure } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { Calendar } from '../../src/client/memory/calendar.ts'
import type { RememberedOutcomes } from '../../src/client/connection/outcome-memory.ts'
import { Pacing } from '../../src/client/session/pacing.ts'
import { SessionKeeper } from '../../src/client/connection/session-keeper.ts'
import type {
  SessionKeeperInput,
  SessionKeeperOutput
} from '../../src/client/connection/session-keeper-io.ts'
import { sessionRules } from '../../src/client/session/session-rules.ts'
import type { SessionRuleOptions } from '../../src/client/session/session-rules.ts'
import type { ConnectionId, EstablishedSession } from '../../src/client/connection/session-state.ts'
import { SignalSession } from '../../src/client/session/session.ts'
import { legalPaths } from '../../src/multihoming/legal-path.ts'
import type { LegalPath, LegalPaths } from '../../src/multihoming/legal-path.ts'
import { domain, ip, server } from '../multihoming/sites.ts'

/** A domain with IPv6 and IPv4, and a server that has both on UDP and TCP: the four candidates of RFC 9132 §4.3. */
export function fourPaths(sources: readonly string[] = ['2001:db8:a::1', '198.51.100.1']): LegalPaths {
  const dots = { ...server('isp-a', '192.0.2.1'), addresses: [ip('2001:db8:ffff::1'), ip('192.0.2.1')] }
  const isp = domain('isp-a', { sources: [...sources], servers: [dots], interfaces: ['wan-a'] })
  return legalPaths({ domains: [isp], providerIndependent: [] }, dots)
}

/** `udp6` */
export function shortName({ transport, remote }: LegalPath): string {
  return `${transport}${remote.address.family}`
}

function besides({ probe, backup }: EstablishedSession): string {
  if (backup !== undefined) return ', unheard'
  return probe === undefined ? '' : ', probing'
}

/** A keeper of one session under a clock of its own; its connections are named by their paths. */
export class KeeperBench {
  readonly keeper: SessionKeeper
  readonly remembered: (RememberedOutcomes | undefined)[] = []
  now: Instant = Instant(0)
  readonly #log: string[] = []
  readonly #names = new Map<ConnectionId, string>()
  readonly #calendar = new Calendar()
  #next = 1

  constructor(options: SessionRuleOptions & { readonly paths?: LegalPaths } = {}) {
    this.#calendar.tell(WallTime(1_767_225_600_000), this.now)
    const pacing = new Pacing()
    this.keeper = new SessionKeeper({
      paths: options.paths ?? fourPaths(),
      rules: sessionRules(options),
      calendar: this.#calendar,
      newConnection: () => this.#next++ as ConnectionId,
      begin: ({ connection, path }, now) => {
        const { transport } = path
        const session = new SignalSession({ entropy: seededEntropy(1), transport, pacing }, now)
        return { connection, path, since: now, session }
      }
    })
  }

  /** The calendar steps by so many milliseconds. */
  step(milliseconds: number): void {
    this.#calendar.tell(WallTime(this.#calendar.at(this.now) + milliseconds), this.now)
  }

  feed(input: SessionKeeperInput): this {
    this.keeper.handle(input, this.now)
    return this.#drain()
  }

  start(): this {
    return this.feed({ kind: 'start' })
  }

  attack(isOn = true): this {
    return this.feed({ kind: 'attack', isOn })
  }

  /** The last attempt by this path is established. */
  establish(name: string): this {
    return this.feed({ kind: 'established', connection: this.connection(name) })
  }

  fail(name: string, reason: SessionFailure = 'timeout'): this {
    return this.feed({ kind: 'failed', connection: this.connection(name), reason })
  }

  close(name: string): this {
    return this.feed({ kind: 'closed', connection: this.connection(name), reason: 'closed: alert' })
  }

  silence(name: string): this {
    return this.feed({ kind: 'silenced', connection: this.connection(name) })
  }

  doubt(name: string): this {
    return this.feed({ kind: 'doubted', connection: this.connection(name) })
  }

  hear(name: string): this {
    return this.feed({ kind: 'heard', connection: this.connection(name) })
  }

  /** From now on, the session by this path is known by another name. */
  rename(name: string, other: string): this {
    this.#names.set(this.connection(name), other)
    return this
  }

  connection(name: string): ConnectionId {
    const found = [...this.#names].findLast(([, each]) => each === name)
    return found?.[0] ?? (999 as ConnectionId)
  }

  pass(milliseconds: number): this {
    const end = Instant(this.now + milliseconds)
    for (
      let due = this.keeper.nextTimeout();
      due !== undefined && due <= end;
      due = this.keeper.nextTimeout()
    ) {
      if (due > this.now) this.now = due
      this.keeper.handleTimeout(this.now)
      this.#drain()
    }
    this.now = end
    return this
  }

  /** What came out since the last call: `0 connect udp6`. */
  take(): string[] {
    return this.#log.splice(0)
  }

  /** `silent udp6, rival connecting` */
  state(): string {
    const { state } = this.keeper
    switch (state.kind) {
      case 'established':
        return `established ${shortName(state.path)}${besides(state)}`
      case 'silent':
        return `silent ${shortName(state.path)}, rival ${state.rival.kind}`
      case 'stopped':
      case 'no-path':
      case 'connecting':
      case 'pausing':
        return state.kind
    }
  }

  #drain(): this {
    for (let output = this.keeper.poll(); output !== undefined; output = this.keeper.poll()) {
      const text = this.#text(output)
      if (text !== undefined) this.#log.push(`${this.now} ${text}`)
    }
    return this
  }

  #text(output: SessionKeeperOutput): string | undefined {
    switch (output.kind) {
      case 'connect':
        this.#names.set(output.connection, shortName(output.path))
        return `connect ${shortName(output.path)}`
      case 'close':
        return `close ${this.#names.get(output.connection) ?? 'stranger'}`
      case 'remember':
        this.remembered.push(output.outcomes)
        return undefined
      case 'changed':
        return undefined
      case 'up':
      case 'down':
        return output.kind
    }
  }
}
