import type {
  ClientCredentials,
  PeerId,
  ResumableSession,
  SecureEndpointOptions,
  ServerCredentials,
  SocketAddress
} from '@breakwater/core'
import { addon } from './addon.ts'
import type { MemoryTakings, NativeHandle } from './addon.ts'
import { toNative } from './native-address.ts'
import { reloadedCredentials } from './native-credentials.ts'
import { sessionFromNative } from './native-session.ts'
import { refusal, toEngineOptions } from './open-endpoint.ts'
import type { HandshakeTiming } from './open-endpoint.ts'
import { unpackReports } from './packed-reports.ts'

/**
 * The engine of an endpoint without its socket: whoever calls carries the datagrams. For tests and fuzzing; time is the
 * real one, because OpenSSL reads its own clock. @internal
 */
export class MemoryEngine {
  readonly local: SocketAddress
  readonly #handle: NativeHandle
  readonly #role: SecureEndpointOptions['role']

  /** @throws {ConfigError} as `openDtlsEndpoint` */
  constructor(options: SecureEndpointOptions, timing?: HandshakeTiming) {
    const opened = addon.memoryOpen(toEngineOptions(options, timing))
    if ('problem' in opened) throw refusal(options.role, opened)
    this.#handle = opened.handle
    this.#role = options.role
    this.local = options.local
  }

  /** One datagram has arrived. False when no datagram can be like that. */
  feed(remote: SocketAddress, datagram: Uint8Array): boolean {
    return addon.memoryFeed(this.#handle, toNative(this.local), toNative(remote), datagram)
  }

  /** What it sent, reported and decrypted since the last call. */
  take(): MemoryTakings {
    const takings = addon.memoryTake(this.#handle)
    // Without a socket there is nobody to say anything of paths.
    const reports = unpackReports(takings.reports).filter((report) => report.kind !== 'hint')
    return { ...takings, reports }
  }

  retime(peer: PeerId, firstTimeoutMs: number): void {
    addon.memoryRetime(this.#handle, peer, firstTimeoutMs)
  }

  connect(remote: SocketAddress, serverName: string, firstTimeoutMs = 0): PeerId {
    return addon.memoryConnect(
      this.#handle,
      toNative(this.local),
      toNative(remote),
      serverName,
      firstTimeoutMs
    )
  }

  /** @throws {ConfigError} as `SecureEndpoint.reload` */
  reload(credentials: ServerCredentials | ClientCredentials): void {
    const native = { ...reloadedCredentials(this.#role, credentials), server: this.#role === 'server' }
    const problem = addon.memoryReload(this.#handle, native)
    if (problem !== undefined) throw refusal(this.#role, problem)
  }

  /** Whether the keys are in use now. */
  useTicketKeys(keys: readonly Uint8Array[]): boolean {
    return addon.memoryTicketKeys(this.#handle, keys)
  }

  resumableSessions(): readonly ResumableSession[] {
    return addon.memorySessions(this.#handle).map((session) => sessionFromNative(session))
  }

  send(peer: PeerId, bytes: Uint8Array): boolean {
    return addon.memorySend(this.#handle, peer, bytes)
  }

  close(peer: PeerId): void {
    addon.memoryClose(this.#handle, peer)
  }

  /** Puts the clock of the engine ahead; OpenSSL's own timers keep to the real one. */
  advance(milliseconds: number): void {
    addon.memoryAdvance(this.#handle, milliseconds)
  }

  /** Sends again what is due. */
  handleTimeouts(): void {
    addon.memoryHandleTimeouts(this.#handle)
  }

  stats(): Readonly<Record<string, number>> {
    return addon.memoryStats(this.#handle)
  }
}
