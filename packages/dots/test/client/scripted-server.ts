import { Code, OptionNumber, decodeMessage, encodeMessage, formatMethod, uintOption } from '@breakwater/coap'
import type { CoapMessage, CoapOption } from '@breakwater/coap'
import { Instant, Milliseconds, Seconds, WallTime, after } from '@breakwater/core'
import type { Duration, Transport } from '@breakwater/core'
import { decodeSignal, encodeSignal } from '@breakwater/model'
import type { MitigationScopeEntry } from '@breakwater/model'
import { seededEntropy } from '@breakwater/testing'
import { SessionLoads } from '../../src/signal/session-loads.ts'
import { Association } from '../../src/client/association.ts'
import type { AssociationOutput } from '../../src/client/association-io.ts'
import { PathPool } from '../../src/client/paths/path-pool.ts'
import { Calendar } from '../../src/client/memory/calendar.ts'
import type { LastingWant } from '../../src/client/requests/lasting-want.ts'
import { sessionRules } from '../../src/client/session/session-rules.ts'
import type { WantedConfiguration } from '../../src/client/session/session-negotiation.ts'
import { RecentContacts } from '../../src/client/redirection/redirection.ts'
import type { ConnectionId } from '../../src/client/connection/session-state.ts'
import { ProtectionId, parseCuid } from '../../src/domain/identifier.ts'
import type { Site } from '../../src/domain/site.ts'
import type { Lifetime } from '../../src/signal/lifetime.ts'
import type { Target } from '../../src/domain/target.ts'
import { alternatePaths } from '../../src/multihoming/alternate-paths.ts'
import { compileSite } from '../../src/multihoming/site-plan.ts'
import { DEFAULT_SESSION_PARAMETERS } from '../../src/signal/defaults.ts'
import { pathText } from '../../src/signal/resource.ts'
import { twoProviders } from '../multihoming/sites.ts'

/** A request that came out of the association under test. */
export interface Heard {
  readonly at: Instant
  readonly connection: ConnectionId
  readonly message: CoapMessage
  /** `PUT /.well-known/dots/mitigate/cuid=…/mid=…` */
  readonly text: string
  readonly mitigationId: number | undefined
  readonly scope: readonly MitigationScopeEntry[]
}

/** A site whose servers speak this only. */
function siteBy(transport: Transport): Site {
  return {
    ...twoProviders,
    domains: twoProviders.domains.map((each) => ({
      ...each,
      servers: each.servers.map((one) => ({ ...one, transports: [transport] }))
    }))
  }
}

/** One association driven by hand: a test says what the server answers and when. Over TCP it says so in bytes. */
export class ScriptedServer {
  now: Instant = Instant(0)
  readonly association: Association
  readonly heard: Heard[] = []
  readonly outputs: AssociationOutput[] = []
  readonly #transport: Transport
  #nextConnection = 1
  #nextMessageId = 1000

  constructor(
    options: { readonly heartbeatIntervalSeconds?: number } = {},
    configuration?: WantedConfiguration,
    resolvesNames = false,
    transport: Transport = 'udp'
  ) {
    this.#transport = transport
    const site = siteBy(transport)
    const server = site.domains[0]!.servers[0]!
    const calendar = new Calendar()
    calendar.tell(WallTime(1_767_225_600_000), this.now)
    this.association = new Association({
      server,
      paths: compileSite(site).paths.get(server.name)!,
      cuid: parseCuid('dz6pHjaADkaFTbjr0JGBpw')!,
      calendar,
      entropy: seededEntropy(5),
      rules: sessionRules({}),
      parameters: { ...DEFAULT_SESSION_PARAMETERS, ...options },
      configuration,
      redirection: {
        contacts: new RecentContacts(() => []),
        pathsTo: (alternate) => alternatePaths(site, server, alternate),
        resolvesNames: () => resolvesNames
      },
      pathPool: new PathPool(),
      loads: new SessionLoads(),
      newConnection: () => this.#nextConnection++ as ConnectionId
    })
  }

  /** The connection that was asked for last. */
  get connection(): ConnectionId {
    const last = this.outputs.findLast((output) => output.kind === 'connect')
    if (last === undefined) throw new Error('no connection was asked for')
    return last.connection
  }

  /** Starts, lets the handshake take 20 ms, and says that there are no mitigations yet. */
  connect(): void {
    this.feed({ kind: 'start' })
    this.pass(Milliseconds(20))
    this.feed({ kind: 'established', connection: this.connection })
    this.pass(Milliseconds(30))
    this.answer(this.last('GET'), Code.notFound)
    this.pass(Milliseconds(30))
  }

  feed(input: Parameters<Association['handle']>[0]): void {
    this.association.handle(input, this.now)
    this.#drain()
  }

  want(...wants: readonly LastingWant[]): void {
    this.feed({ kind: 'want', wants })
    this.pass(Milliseconds(30))
  }

  /** Lets time go by, with all that falls due. */
  pass(duration: Duration): void {
    const end = after(this.now, duration)
    for (;;) {
      const due = this.association.nextTimeout()
      if (due === undefined || due > end) break
      if (due > this.now) this.now = due
      this.association.handleTimeout(this.now)
      this.#drain()
    }
    this.now = end
  }

  /** Requests heard so far of one method (and path), the latest last. */
  requests(text: string): Heard[] {
    return this.heard.filter((each) => each.text.startsWith(text))
  }

  last(text: string): Heard {
    const found = this.requests(text).at(-1)
    if (found === undefined) throw new Error(`no ${text} was heard`)
    return found
  }

  answer(
    request: Heard,
    code: number,
    scope?: MitigationScopeEntry,
    options: readonly CoapOption[] = []
  ): void {
    const body =
      scope === undefined ? new Uint8Array(0) : encodeSignal({ mitigationScope: { scope: [scope] } })
    const format = scope === undefined ? [] : [uintOption(OptionNumber.contentFormat, 271)]
    this.reply(request, code, body, [...options, ...format])
  }

  reply(request: Heard, code: number, payload: Uint8Array, options: readonly CoapOption[]): void {
    const bytes = encodeMessage({
      type: 'non-confirmable',
      code,
      messageId: this.#nextMessageId++,
      token: request.message.token,
      options,
      payload
    })
    this.feed({ kind: 'datagram', connection: request.connection, bytes })
  }

  /** Answers the last PUT of a mitigation with 2.01 and a lifetime. */
  grant(lifetime: number): Heard {
    const put = this.last('PUT /.well-known/dots/mitigate')
    this.answer(put, Code.created, { mid: put.mitigationId!, lifetime })
    return put
  }

  /** A request of the server's own. */
  replay(message: CoapMessage): void {
    this.feed({ kind: 'datagram', connection: this.connection, bytes: encodeMessage(message) })
  }

  /** The code of what was sent last. */
  lastCode(): number {
    const last = this.outputs.findLast((output) => output.kind === 'send')
    return last === undefined ? 0 : decodeMessage(last.bytes).code
  }

  /** A notification on the observation of a mitigation. */
  notify(request: Heard, sequence: number, scope: MitigationScopeEntry): void {
    this.answer(request, Code.content, scope, [uintOption(OptionNumber.observe, sequence)])
  }

  #drain(): void {
    for (let output = this.association.poll(); output !== undefined; output = this.association.poll()) {
      this.outputs.push(output)
      if (output.kind !== 'send' || this.#transport === 'tcp') continue
      const message = decodeMessage(output.bytes)
      if (message.code === 0 || message.code >= 32) continue
      const text = `${formatMethod(message.code)} ${pathText(message.options)}`
      const mid = /mid=(\d+)$/.exec(text)?.[1]
      const scope = message.payload.length === 0 ? [] : scopesOf(message)
      const mitigationId = mid === undefined ? undefined : Number(mid)
      this.heard.push({ at: this.now, connection: output.connection, message, text, mitigationId, scope })
    }
  }
}

function scopesOf(message: CoapMessage): readonly MitigationScopeEntry[] {
  return decodeSignal(message.payload).mitigationScope?.scope ?? []
}

export function want(
  protection: string,
  target: Target,
  lifetime: Lifetime = 3600,
  trigger: LastingWant['trigger'] = 'immediate'
): LastingWant {
  return { protection: ProtectionId(protection), target, lifetime, trigger }
}

export const MINUTE: Duration = Seconds(60)
