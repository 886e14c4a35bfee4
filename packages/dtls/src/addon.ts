import { createRequire } from 'node:module'
import type {
  NetworkPath,
  PathHint,
  PeerId,
  PeerIdentity,
  SessionEnd,
  SessionFailure
} from '@breakwater/core'

/** `[family, a, b, c, d, port]`: the words of an IpAddress, then the port. */
export type NativeAddress = readonly [number, number, number, number, number, number]

/** Of a session. `after`: how many plaintexts of the same batch came before. */
export type NativeReport = { readonly peer: PeerId; readonly after: number } & (
  | {
      readonly kind: 'established'
      readonly path: NetworkPath
      readonly identity: PeerIdentity
      readonly maximumPlaintext: number
      readonly resumed: boolean
    }
  | { readonly kind: 'closed'; readonly reason: SessionEnd }
  | { readonly kind: 'failed'; readonly reason: SessionFailure }
)

/** Of a path. */
export interface NativeHint {
  readonly kind: 'hint'
  readonly after: number
  readonly hint: PathHint
}

/** Numbers and texts of reports; `unpackReports` makes NativeReports and NativeHints of them. */
export type PackedReports = readonly [numbers: Float64Array, ...texts: string[]]

export interface NativeCredentials {
  readonly certificate?: {
    readonly certificate: string
    readonly privateKey: string
    readonly trustAnchors: string
    readonly crl?: string
  }
  readonly rawPublicKey?: { readonly privateKey: string; readonly peerKeys: readonly string[] }
  readonly preSharedKeys?: readonly (readonly [identity: string, key: Uint8Array])[]
  readonly pskIdentity?: string
  readonly pskKey?: Uint8Array
}

/** A `ResumableSession` with its address as C++ reads it. */
export interface NativeSession {
  readonly remote: NativeAddress
  readonly serverName: string
  readonly state: Uint8Array
  readonly expiresAtMs: number
}

export interface NativeEngineOptions extends NativeCredentials {
  readonly server: boolean
  readonly serviceName?: string
  readonly constrainedPeers?: boolean
  readonly ticketKeys?: readonly Uint8Array[]
  readonly sessions?: readonly NativeSession[]
  /** Default: yes. */
  readonly recordOffload?: boolean
  readonly mtuBytes: number
  readonly peersLimit: number
  readonly handshakingLimit: number
  /** Per second, like the next. */
  readonly hellosPerSource: number
  readonly unverifiedHellos: number
  readonly firstTimeoutMs: number
  readonly giveUpMs: number
}

export interface NativeEndpointOptions extends NativeEngineOptions {
  readonly local: NativeAddress
  readonly interface?: string
}

/** Why something did not open. `field`: the option, or the name of the system's error. */
export interface NativeProblem {
  readonly problem: 'arguments' | 'credentials' | 'crl-expired' | 'random' | 'bind'
  readonly field?: string
  readonly message: string
}

declare const handleBrand: unique symbol
/** An object of C++; only the functions below know what to do with it. */
export interface NativeHandle {
  readonly [handleBrand]: true
}

export interface OpenedEndpoint {
  readonly handle: NativeHandle
  readonly local: NativeAddress
  readonly memory: ArrayBuffer
}

/** Byte offsets of the arrays in the shared memory; `slots` and `bytes` are their sizes. */
export interface ExchangeLayout {
  readonly slots: number
  readonly bytes: number
  readonly incomingPeer: number
  readonly incomingOffset: number
  readonly incomingLength: number
  readonly outgoingPeer: number
  readonly outgoingOffset: number
  readonly outgoingLength: number
  readonly incomingBytes: number
  readonly outgoingBytes: number
}

/** What the addon exports. */
export interface Addon {
  readonly exchangeLayout: ExchangeLayout
  endpointOpen(
    options: NativeEndpointOptions,
    turn: (arrived: number, reports: PackedReports | undefined) => void
  ): OpenedEndpoint | NativeProblem
  /** The peer, or 0 when the endpoint is closed. A first timeout of 0: that of the endpoint. */
  endpointConnect(
    handle: NativeHandle,
    remote: NativeAddress,
    serverName: string,
    firstTimeoutMs: number
  ): PeerId
  /** Of a handshake under way. A first timeout of 0: that of the endpoint. */
  endpointRetime(handle: NativeHandle, peer: PeerId, firstTimeoutMs: number): void
  /** A problem, with which the old ones stay. */
  endpointReload(
    handle: NativeHandle,
    credentials: NativeCredentials & { server: boolean }
  ): NativeProblem | undefined
  /** Whether these are in use now. */
  endpointTicketKeys(handle: NativeHandle, keys: readonly Uint8Array[]): boolean
  endpointUseSessions(handle: NativeHandle, sessions: readonly NativeSession[]): void
  endpointSessions(handle: NativeHandle): readonly NativeSession[]
  endpointClose(handle: NativeHandle, peer: PeerId): void
  endpointDrain(handle: NativeHandle): void
  endpointTurn(handle: NativeHandle): void
  endpointStats(handle: NativeHandle): Readonly<Record<string, number>>
  endpointDestroy(handle: NativeHandle, goodbye: boolean, done: () => void): void

  memoryOpen(options: NativeEngineOptions): { readonly handle: NativeHandle } | NativeProblem
  memoryFeed(handle: NativeHandle, local: NativeAddress, remote: NativeAddress, datagram: Uint8Array): boolean
  memoryTake(handle: NativeHandle): Omit<MemoryTakings, 'reports'> & { readonly reports: PackedReports }
  memoryConnect(
    handle: NativeHandle,
    local: NativeAddress,
    remote: NativeAddress,
    serverName: string,
    firstTimeoutMs: number
  ): PeerId
  memoryRetime(handle: NativeHandle, peer: PeerId, firstTimeoutMs: number): void
  memoryReload(
    handle: NativeHandle,
    credentials: NativeCredentials & { server: boolean }
  ): NativeProblem | undefined
  memoryTicketKeys(handle: NativeHandle, keys: readonly Uint8Array[]): boolean
  memorySessions(handle: NativeHandle): readonly NativeSession[]
  memorySend(handle: NativeHandle, peer: PeerId, bytes: Uint8Array): boolean
  memoryClose(handle: NativeHandle, peer: PeerId): void
  memoryAdvance(handle: NativeHandle, milliseconds: number): void
  memoryHandleTimeouts(handle: NativeHandle): void
  /** Whether the memory engines of this thread are without random numbers from now on. */
  memoryBreakRandom(broken: boolean): void
  memoryStats(handle: NativeHandle): Readonly<Record<string, number>>

  /** A descriptor. `interface` may be empty. */
  boundUdp(local: NativeAddress, device: string): number | NativeProblem
  /** `done` hears a descriptor, or a negative errno with its name. A timeout of 0: none but the kernel's. */
  boundTcp(
    local: NativeAddress,
    device: string,
    remote: NativeAddress,
    timeoutMs: number,
    done: (descriptor: number, errorName: string) => void
  ): NativeProblem | undefined
}

/** What a memory engine did since it was last asked. */
export interface MemoryTakings {
  readonly datagrams: readonly {
    readonly local: NativeAddress
    readonly remote: NativeAddress
    readonly bytes: Uint8Array
  }[]
  readonly reports: readonly NativeReport[]
  readonly plaintexts: readonly { readonly peer: PeerId; readonly bytes: Uint8Array }[]
}

/** Built by `tools/setup.mjs`. */
export const addon: Addon = createRequire(import.meta.url)('../build/dtls.node') as Addon
