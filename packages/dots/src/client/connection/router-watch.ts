import { Seconds, after } from '@breakwater/core'
import type { Instant, Machine } from '@breakwater/core'
import type { DefaultRouter } from '../../domain/default-routers.ts'
import type { ServerName } from '../../domain/identifier.ts'

export type RouterWatchInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
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
  | { readonly kind: 'reading' }
  | { readonly kind: 'waiting'; readonly until: Instant }

/**
 * Looks for default routers as long as a server that is one has no session (RFC 9132 §4.3).
 *
 * | state | start | stop | routers | time |
 * |---|---|---|---|---|
 * | `off` | read, `reading` | – | – | – |
 * | `reading` | – | `off` | told if new, `waiting` | – |
 * | `waiting` | – | `off` | – | read, `reading`, where a session is missing |
 */
export class RouterWatch implements Machine<RouterWatchInput, RouterWatchOutput> {
  readonly #servers: ReadonlySet<ServerName>
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
        if (this.#state.kind === 'off' && this.#servers.size > 0) this.#read()
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
