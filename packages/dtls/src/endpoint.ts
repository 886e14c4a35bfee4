import type {
  ClientCredentials,
  ConnectRequest,
  Duration,
  OutgoingBatch,
  PeerId,
  ResumableSession,
  SecureEndpoint,
  SecureEndpointHandlers,
  ServerCredentials,
  SessionEvent,
  SocketAddress
} from '@breakwater/core'
import { addon } from './addon.ts'
import type {
  NativeCredentials,
  NativeEndpointOptions,
  NativeHandle,
  NativeHint,
  NativeProblem,
  NativeReport,
  PackedReports
} from './addon.ts'
import { Exchange, ExchangeBatch } from './exchange.ts'
import { fromNative, toNative } from './native-address.ts'
import { sessionFromNative, sessionToNative } from './native-session.ts'
import { unpackReports } from './packed-reports.ts'

/** Hands an error of a handler to the process, as an exception that nobody caught, and goes on. */
function reportUncaught(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}

function toEvent(report: NativeReport): SessionEvent {
  const { peer } = report
  switch (report.kind) {
    case 'established': {
      const { identity, path, resumed } = report
      return resumed
        ? { kind: 'established', peer, identity, path, resumed }
        : { kind: 'established', peer, identity, path }
    }
    case 'closed':
      return { kind: 'closed', peer, reason: report.reason }
    case 'failed':
      return { kind: 'failed', peer, reason: report.reason }
  }
}

/** How an endpoint speaks of its options with its caller; all throw or return what the caller gets to see. */
export interface OptionWords {
  refused(problem: NativeProblem): Error
  credentials(credentials: ServerCredentials | ClientCredentials): NativeCredentials
  ticketKeys(keys: readonly Uint8Array[]): readonly Uint8Array[]
  firstTimeout(retransmission: Duration): number
}

/** A secure endpoint on the native engine; see `openDtlsEndpoint`. */
export class DtlsEndpoint implements SecureEndpoint {
  readonly local: SocketAddress
  readonly #handlers: SecureEndpointHandlers
  readonly #handle: NativeHandle
  readonly #isServer: boolean
  readonly #words: OptionWords
  readonly #exchange: Exchange
  /** Established peers and the longest plaintext for each. */
  readonly #longest = new Map<PeerId, number>()
  #turnComes = false
  #destroyed: Promise<void> | undefined

  private constructor(options: NativeEndpointOptions, handlers: SecureEndpointHandlers, words: OptionWords) {
    this.#handlers = handlers
    this.#words = words
    this.#isServer = options.server
    const opened = addon.endpointOpen(options, (arrived, reports) => this.#turn(arrived, reports))
    if ('problem' in opened) throw words.refused(opened)
    this.#handle = opened.handle
    this.#exchange = new Exchange(opened.memory)
    this.local = fromNative(opened.local)
  }

  /** Throws what `words.refused` makes of the problem when the endpoint cannot open. */
  static open(
    options: NativeEndpointOptions,
    handlers: SecureEndpointHandlers,
    words: OptionWords
  ): DtlsEndpoint {
    return new DtlsEndpoint(options, handlers, words)
  }

  connect(request: ConnectRequest): PeerId {
    const { remote, serverName, handshakeRetransmission } = request
    const firstTimeoutMs =
      handshakeRetransmission === undefined ? 0 : this.#words.firstTimeout(handshakeRetransmission)
    const peer = addon.endpointConnect(this.#handle, toNative(remote), serverName, firstTimeoutMs)
    this.#askForTurn()
    return peer
  }

  useHandshakeRetransmission(peer: PeerId, retransmission: Duration | undefined): void {
    const firstTimeoutMs = retransmission === undefined ? 0 : this.#words.firstTimeout(retransmission)
    addon.endpointRetime(this.#handle, peer, firstTimeoutMs)
    this.#askForTurn()
  }

  send(peer: PeerId, bytes: Uint8Array): boolean {
    const longest = this.#longest.get(peer)
    if (longest === undefined || bytes.length > longest || bytes.length === 0) return false
    if (!this.#exchange.queue(peer, bytes)) {
      addon.endpointDrain(this.#handle)
      this.#exchange.queue(peer, bytes)
    }
    this.#askForTurn()
    return true
  }

  /** Which peers there are, and what each can carry, is asked of C++ alone. */
  sendBatch(batch: OutgoingBatch): void {
    if (this.#destroyed !== undefined) return
    let next = this.#exchange.queueBatch(batch, 0)
    while (next < batch.count) {
      addon.endpointDrain(this.#handle)
      const from = next
      next = this.#exchange.queueBatch(batch, from)
      // Longer than all the memory there is.
      if (next === from) next++
    }
    this.#askForTurn()
  }

  close(peer: PeerId): void {
    this.#longest.delete(peer)
    addon.endpointClose(this.#handle, peer)
    this.#askForTurn()
  }

  maximumPlaintext(peer: PeerId): number {
    return this.#longest.get(peer) ?? 0
  }

  stats(): Readonly<Record<string, number>> {
    return addon.endpointStats(this.#handle)
  }

  reload(credentials: ServerCredentials | ClientCredentials): void {
    const native = { ...this.#words.credentials(credentials), server: this.#isServer }
    const problem = addon.endpointReload(this.#handle, native)
    if (problem !== undefined) throw this.#words.refused(problem)
  }

  useTicketKeys(keys: readonly Uint8Array[]): void {
    addon.endpointTicketKeys(this.#handle, this.#words.ticketKeys(keys))
  }

  useSessions(sessions: readonly ResumableSession[]): void {
    addon.endpointUseSessions(this.#handle, sessions.map(sessionToNative))
  }

  resumableSessions(): readonly ResumableSession[] {
    return addon.endpointSessions(this.#handle).map(sessionFromNative)
  }

  destroy(): Promise<void> {
    return this.#end(true)
  }

  /** Takes the endpoint away as a crash would: no goodbye to anybody. For tests. @internal */
  vanish(): Promise<void> {
    return this.#end(false)
  }

  #end(goodbye: boolean): Promise<void> {
    this.#destroyed ??= new Promise((resolve) => {
      addon.endpointDestroy(this.#handle, goodbye, resolve)
      this.#longest.clear()
    })
    return this.#destroyed
  }

  /** Sends what is queued, and hears what there is to report, once in this turn of the event loop. */
  #askForTurn(): void {
    if (this.#turnComes || this.#exchange.inTurn) return
    this.#turnComes = true
    setImmediate(() => {
      this.#turnComes = false
      addon.endpointTurn(this.#handle)
    })
  }

  /** Called by C++ with what came: reports and plaintexts, in the order in which they happened. */
  #turn(arrived: number, reports: PackedReports | undefined): void {
    let delivered = 0
    for (const report of reports === undefined ? [] : unpackReports(reports)) {
      this.#deliver(delivered, report.after)
      delivered = Math.max(delivered, report.after)
      this.#report(report)
    }
    this.#deliver(delivered, arrived)
  }

  #deliver(from: number, to: number): void {
    let next = from
    while (next < to && this.#destroyed === undefined) {
      const batch = new ExchangeBatch(this.#exchange, next, to)
      try {
        this.#handlers.onBatch(batch)
        return
      } catch (error) {
        reportUncaught(error)
        // One that throws before it looks at anything would throw for ever.
        if (batch.touched === 0) return
        next += batch.touched
      }
    }
  }

  #report(report: NativeReport | NativeHint): void {
    if (this.#destroyed !== undefined) return
    if (report.kind === 'established') this.#longest.set(report.peer, report.maximumPlaintext)
    else if (report.kind !== 'hint') this.#longest.delete(report.peer)
    try {
      if (report.kind === 'hint') this.#handlers.onHint?.(report.hint)
      else this.#handlers.onSession(toEvent(report))
    } catch (error) {
      reportUncaught(error)
    }
  }
}
