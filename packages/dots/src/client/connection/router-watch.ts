import { Seconds, after } from '@breakwater/core'
import type { Instant, Machine } from '@breakwater/core'
import type { DefaultRouter } from '../../domain/default-routers.ts'
import type { ServerName } from '../../domain/identifier.ts'

export type RouterWatchInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  /** These are default routers now; those of before that are among them go on. */
  | { readonly kind: 'servers'; readonly servers: Iterable<ServerName> }
  /** The answer to `read`; undefined: the system did not tell. */
  | { readonly kind: 'routers'; readonly routers: readonly DefaultRouter[] | undefined }
  | { readonly kind: 'session'; readonly server: ServerName; readonly isUp: boolean }

export type RouterWatchOutput =
  | { readonly kind: 'read' }
  | { readonly kind: 'routers'; readonly routers: readonly DefaultRouter[] }

/** Routers come and go; looking costs next to nothing. */
const LOOK_AGAIN = Seconds(5)

type WatchState =
  | { readonly kind: 'off' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'reading' }
  | { readonly kind: 'waiting'; readonly until: Instant }

/**
 * Looks for default routers as long as a server that is one has no session (RFC 9132 §4.3).
 *
 * | state | start | stop | servers | routers | time |
 * |---|---|---|---|---|---|
 * | `off` | read, `reading`; nobody to look for: `idle` | – | – | – | – |
 * | `idle` | – | `off` | read, `reading`, where there are some | – | – |
 * | `reading` | – | `off` | – | told if new, `waiting` | – |
 * | `waiting` | – | `off` | read, `reading`, where one is new | – | read, `reading`, where a session is missing |
 */
export class RouterWatch implements Machine<RouterWatchInput, RouterWatchOutput> {
  #servers: ReadonlySet<ServerName>
  readonly #up = new Set<ServerName>()
  readonly #outputs: RouterWatchOutput[] = []
  #state: WatchState = { kind: 'off' }
  #told: string | undefined

  /** @param servers Those that are default routers. */
  constructor(servers: Iterable<ServerName>) {
    this.#servers = new Set(servers)
  }

  handle(input: RouterWatchInput, now: Instant): void {
    switch (input.kind) {
      case 'start':
        if (this.#state.kind !== 'off') return
        if (this.#servers.size > 0) this.#read()
        else this.#state = { kind: 'idle' }
        return
      case 'servers':
        this.#watch(new Set(input.servers))
        return
      case 'stop':
        this.#state = { kind: 'off' }
        this.#told = undefined
        this.#up.clear()
        return
      case 'routers':
        if (this.#state.kind !== 'reading') return
        this.#state = { kind: 'waiting', until: after(now, LOOK_AGAIN) }
        // A system that tells nothing knows no routers, until it says otherwise.
        this.#tell(input.routers ?? (this.#told === undefined ? [] : undefined))
        return
      case 'session':
        if (!this.#servers.has(input.server)) return
        if (input.isUp) this.#up.add(input.server)
        else this.#up.delete(input.server)
    }
  }

  poll(): RouterWatchOutput | undefined {
    return this.#outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    const isMissing = this.#up.size < this.#servers.size
    return this.#state.kind === 'waiting' && isMissing ? this.#state.until : undefined
  }

  handleTimeout(now: Instant): void {
    const due = this.nextTimeout()
    if (due !== undefined && due <= now) this.#read()
  }

  #watch(servers: ReadonlySet<ServerName>): void {
    const isOneNew = [...servers].some((server) => !this.#servers.has(server))
    this.#servers = servers
    for (const server of this.#up) if (!servers.has(server)) this.#up.delete(server)
    if (!isOneNew) return
    // The new one has not heard of routers that others know.
    this.#told = undefined
    if (this.#state.kind === 'idle' || this.#state.kind === 'waiting') this.#read()
  }

  #read(): void {
    this.#state = { kind: 'reading' }
    this.#outputs.push({ kind: 'read' })
  }

  #tell(routers: readonly DefaultRouter[] | undefined): void {
    const text = JSON.stringify(routers)
    if (routers === undefined || text === this.#told) return
    this.#told = text
    this.#outputs.push({ kind: 'routers', routers })
  }
}
