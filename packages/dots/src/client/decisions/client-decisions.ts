import { formatIpAddress, formatIpPrefix } from '@breakwater/core'
import type { Instant, WallTime } from '@breakwater/core'
import type { ServerName } from '../../domain/identifier.ts'
import type { Placement } from '../../multihoming/placement.ts'
import type { PoolChange } from '../association-pool.ts'
import type { PoolSessionChange } from '../pools/pool-sessions.ts'
import type { ClientEvent } from '../client-io.ts'
import type { Calendar } from '../memory/calendar.ts'
import type { NameStanding } from '../names/name-standing.ts'
import { pathText } from '../path-report.ts'
import type { PathDecision } from '../paths/path-decision.ts'
import type { ProtectionRequest, ProtectionStatus } from '../protection.ts'
import type { SessionReport } from '../status.ts'
import { DecisionLog } from './decision-log.ts'
import type { Decision, DecisionReason, DecisionSubject } from './decision-log.ts'

/** A decision with the time that the calendar showed. */
export interface DatedDecision extends Omit<Decision, 'at'> {
  readonly at: WallTime
}

/** Why something is placed, or placed again. */
export type PlacementCause =
  | 'it was asked for'
  | 'a restart'
  | 'the site has changed'
  | 'its names mean something else'
  | 'what it depends on has changed'
  | 'it may be the turn of another server'
  | 'another server of its pool is chosen'

/** What a client has decided about protections, servers and paths, in words. */
export class ClientDecisions {
  readonly #log = new DecisionLog()
  readonly #calendar: Calendar

  constructor(calendar: Calendar) {
    this.#calendar = calendar
  }

  /** See `DecisionLog.about`. */
  about(name: string): readonly DatedDecision[] {
    return this.#log.about(name).map((each) => ({ ...each, at: this.#calendar.at(each.at) }))
  }

  placed({ id }: ProtectionRequest, placement: Placement, cause: PlacementCause, now: Instant): void {
    this.#log.note(protection(id), verdictOf(placement), () => reasonOf(placement, cause), now)
  }

  released({ id }: ProtectionRequest, servers: readonly ServerName[], now: Instant): void {
    const because = 'it was released: the servers are asked to end what nobody else needs'
    this.#log.note(
      protection(id),
      'released',
      () => ({ because, inputs: { servers: servers.join(', ') } }),
      now
    )
  }

  /** The site is another one. */
  sited({ added, returned, left }: PoolChange, now: Instant): void {
    for (const { server } of added)
      this.server(server.name, 'gets a session', 'it is new to the site (RFC 9284 §5.1)', now)
    for (const { server } of returned) this.server(server.name, 'stays', 'it is of the site again', now)
    for (const { server } of left)
      this.server(server.name, 'is let go', 'it is of the site no more: what was asked is withdrawn', now)
  }

  pooled({ begin, end }: PoolSessionChange, now: Instant): void {
    for (const name of begin)
      this.server(
        name,
        'gets a session',
        'one of those that it stands in for is missing, or it is needed itself',
        now
      )
    for (const name of end)
      this.server(name, 'is let go', 'others of its pool have been there for two minutes', now)
  }

  server(name: ServerName, decision: string, because: string, now: Instant): void {
    this.#log.note({ kind: 'server', name }, decision, () => ({ because, inputs: {} }), now)
  }

  /** By which paths a server is asked. */
  path(server: ServerName, { decision, because, paths, inputs }: PathDecision, now: Instant): void {
    this.#log.note({ kind: 'server', name: server }, decision, () => ({ because, inputs }), now)
    for (const name of paths)
      this.#log.note(
        { kind: 'path', name },
        decision,
        () => ({ because, inputs: { server, ...inputs } }),
        now
      )
  }

  /** What is told of is what was decided. */
  take(event: ClientEvent, now: Instant): void {
    switch (event.kind) {
      case 'protection':
        this.#protection(event.status, now)
        return
      case 'session':
        this.#session(event.session, now)
        return
      case 'target-name':
        this.#name(event.standing, now)
        return
      case 'server-located':
        this.#location(event, now)
        return
      case 'redirected':
      case 'redirect-refused':
      case 'alternate-unreachable':
        this.#redirect(event, now)
        return
      case 'stood-in':
        this.#standIn(event, now)
        return
      case 'cuid-changed':
        this.server(event.server, 'another cuid', 'another client had ours (RFC 9132 §4.4.1.1)', now)
        return
      case 'configuration-unsafe':
        this.server(event.server, 'other session parameters', event.text, now)
        return
      case 'consent-used':
      case 'policy-used':
      case 'record-damaged':
      case 'malformed':
    }
  }

  #protection(status: ProtectionStatus, now: Instant): void {
    const { id, state, alarm, require, servers, missing, disagreement } = status
    this.#log.note(
      protection(id),
      `${state}${alarm ? ', with an alarm' : ''}`,
      () => ({
        because: missing.length === 0 ? 'nothing of it is missing' : missing.map(missingText).join('; '),
        inputs: {
          ...(disagreement.length === 0
            ? {}
            : { disagreement: disagreement.map(({ server, says }) => `${server} says: ${says}`).join('; ') }),
          require,
          ...Object.fromEntries(
            servers.map(({ server, state: own, text, mitigationIds }) => {
              const ids = mitigationIds.length === 0 ? '' : ` (mid ${mitigationIds.join(', ')})`
              return [server, `${own}: ${text}${ids}`]
            })
          )
        }
      }),
      now
    )
  }

  #session(report: SessionReport, now: Instant): void {
    const { server, state, text, path, retryInSeconds, candidates } = report
    const way = path === undefined ? undefined : pathText(path)
    const explain = (): DecisionReason => ({
      because: text === '' ? SESSION_WORDS[state] : text,
      inputs: {
        ...(way === undefined ? {} : { path: way }),
        ...(retryInSeconds === undefined ? {} : { 'next try': `in ${Math.round(retryInSeconds)} s` }),
        ...Object.fromEntries(candidates.map((each) => [each.path, each.text]))
      }
    })
    this.#log.note({ kind: 'server', name: server }, `session ${state}`, explain, now)
    if (way !== undefined)
      this.#log.note(
        { kind: 'path', name: way },
        `session ${state}`,
        () => ({ because: explain().because, inputs: { server } }),
        now
      )
  }

  #location(
    { server, name, location }: ClientEvent & { readonly kind: 'server-located' },
    now: Instant
  ): void {
    const { addresses, trouble } = location
    const because = trouble === '' ? 'the name servers of its domain say so (RFC 9284 §5.1)' : trouble
    const inputs = { name, addresses: addresses.map((each) => formatIpAddress(each)).join(', ') }
    const decision = addresses.length === 0 ? 'nobody knows where it is' : 'is known by its name'
    this.#log.note({ kind: 'server', name: server }, decision, () => ({ because, inputs }), now)
  }

  #standIn({ server, by, because, inputs }: ClientEvent & { readonly kind: 'stood-in' }, now: Instant): void {
    const explain = (): DecisionReason => ({ because, inputs })
    this.#log.note({ kind: 'server', name: server }, `${by} is asked in its stead`, explain, now)
    this.#log.note({ kind: 'server', name: by }, `is asked in place of ${server}`, explain, now)
  }

  #name({ name, state, addresses, text }: NameStanding, now: Instant): void {
    const because = state === 'resolved' ? 'the resolver of the site says so' : text
    const inputs = { addresses: addresses.map(formatIpAddress).join(', ') }
    this.#log.note({ kind: 'name', name }, state, () => ({ because, inputs }), now)
  }

  #redirect(
    event: ClientEvent & { readonly kind: 'redirected' | 'redirect-refused' | 'alternate-unreachable' },
    now: Instant
  ): void {
    const { server } = event
    if (event.kind === 'redirected') {
      const { alternate } = event
      if (alternate === undefined)
        this.server(
          server,
          'back to the provisioned server',
          'the time of the redirect is over, or its server of no use (RFC 9132 §4.6)',
          now
        )
      else this.server(server, `to ${alternate}`, 'the server sent us there (RFC 9132 §4.6)', now)
    } else
      this.server(
        server,
        event.kind === 'redirect-refused' ? `not to ${event.alternate}` : `${event.alternate} is of no use`,
        event.reason,
        now
      )
  }
}

const SESSION_WORDS: Readonly<Record<SessionReport['state'], string>> = {
  stopped: 'the client, or the server’s part of the site, has ended',
  'no-path': 'no legal path leads to the server',
  connecting: 'a session with every server is to be there at all times (RFC 9284 §5.1)',
  established: 'the first handshake that was complete has won (RFC 9132 §4.3)',
  silent: 'nothing is heard of the server',
  pausing: 'the next try is due later (RFC 9132 §4.7)'
}

function protection(name: string): DecisionSubject {
  return { kind: 'protection', name }
}

function missingText({ server, domain, text }: ProtectionStatus['missing'][number]): string {
  const who = server ?? domain
  return who === undefined ? text : `${who}: ${text}`
}

function verdictOf({ parts, refusals, waiting }: Placement): string {
  if (parts.length === 0) return waiting.length > 0 ? 'waits' : 'refused'
  const servers = [...new Set(parts.flatMap((part) => part.servers))]
  const rest = refusals.length + waiting.length > 0 ? ', in part' : ''
  return servers.length === 0 ? 'uncovered' : `asks ${servers.join(' and ')}${rest}`
}

function reasonOf(placement: Placement, cause: PlacementCause): DecisionReason {
  const { assignments, refusals, waiting, uncovered } = placement
  const texts = [...assignments, ...refusals, ...waiting, ...uncovered].map(({ text }) => text)
  const asked = assignments.map(({ server, target }) => {
    return [server, target.prefixes.map(formatIpPrefix).join(', ')] as const
  })
  return {
    because: [...new Set(texts)].join('; '),
    inputs: { cause, ...Object.fromEntries(asked) }
  }
}
