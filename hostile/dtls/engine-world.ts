import { ipv4 } from '@breakwater/core'
import type { SecureEndpointLimits, SocketAddress } from '@breakwater/core'
import { expect } from 'vitest'
import { MemoryEngine } from '../../packages/dtls/src/memory-engine.ts'
import { ForgingClient } from '../../packages/dtls/test/forging-client.ts'
import { settle } from '../../packages/dtls/test/memory-pair.ts'
import type { TestAuthority } from '../../packages/dtls/test/pki.ts'

const psk = Buffer.from('0123456789abcdef')
export const serverName = 'server.example'
const serverAddress: SocketAddress = { address: ipv4(0xc0000201), port: 4646 }
/** The attacker's own address. */
export const attacker: SocketAddress = { address: ipv4(0xc6336401), port: 40_000 }
/** Whom the attack must not hurt. */
const honest: SocketAddress = { address: ipv4(0xcb007101), port: 50_000 }

/** Rates at which no hello goes unanswered: what is bounded must be bounded by other means. */
export const unthrottled: SecureEndpointLimits = {
  hellosPerSecondPerSource: 1_000_000,
  unverifiedHellosPerSecond: 1_000_000
}

/** Octets and packets in one direction. */
export interface Volume {
  readonly packets: number
  readonly bytes: number
}

/** The DTLS engine of a server, with certificate and pre-shared keys, and everybody who can reach it. */
export class EngineWorld {
  readonly authority: TestAuthority
  server: MemoryEngine
  #survivor: ForgingClient
  /** Counters at the beginning of an attack. */
  #before: Readonly<Record<string, number>>

  /** @param recordOffload Whether established sessions leave OpenSSL. */
  constructor(authority: TestAuthority, limits: SecureEndpointLimits = {}, recordOffload = true) {
    this.authority = authority
    const preSharedKeys = new Map([
      ['site-1', psk],
      ['site-2', psk]
    ])
    this.server = new MemoryEngine({
      role: 'server',
      local: serverAddress,
      certificate: authority.credentials(serverName),
      preSharedKeys,
      limits,
      constrainedPeers: true,
      recordOffload
    })
    this.#survivor = this.client(honest)
    this.#survivor.handshake()
    this.server.take()
    this.#before = this.server.stats()
  }

  client(address: SocketAddress = attacker, key: Uint8Array = psk, identity = 'site-1'): ForgingClient {
    return new ForgingClient(this.server, address, identity, key)
  }

  /** From another port of the attacker. */
  clientAt(port: number, key: Uint8Array = psk): ForgingClient {
    return this.client({ ...attacker, port }, key)
  }

  /** What the engine sends in return. */
  feed(datagram: Uint8Array, from: SocketAddress = attacker): readonly Uint8Array[] {
    this.server.feed(from, datagram)
    return this.server.take().datagrams.map(({ bytes }) => bytes)
  }

  /** RFC 6347 §4.2.1, RFC 9147 §11: to who has proved no address, no more octets and no more packets than came. */
  feedUnverified(datagram: Uint8Array, from: SocketAddress = attacker): Volume {
    const sent = this.feed(datagram, from)
    const bytes = sent.reduce((sum, each) => sum + each.length, 0)
    expect(bytes, Buffer.from(datagram).toString('hex')).toBeLessThanOrEqual(datagram.length)
    expect(sent.length).toBeLessThanOrEqual(1)
    return { packets: sent.length, bytes }
  }

  /** The cookie for this client. */
  cookieFor(client: ForgingClient): Buffer {
    client.feed(client.hello())
    return client.answers()[0]?.fragment.subarray(15) ?? Buffer.alloc(0)
  }

  /** How far a counter has moved. */
  counted(name: string): number {
    return (this.server.stats()[name] ?? 0) - (this.#before[name] ?? 0)
  }

  /** No peer but the survivor, and no handshake. */
  expectNothingKept(): void {
    expect(this.server.stats()).toMatchObject({ peers: 1, handshaking: 0 })
  }

  expectKinds(...kinds: readonly string[]): void {
    const { reports } = this.server.take()
    expect(
      reports.map((each) => (each.kind === 'established' ? each.kind : `${each.kind} ${each.reason}`))
    ).toEqual(kinds)
  }

  /** A whole handshake with certificates on both sides. How it ended. */
  visitByCertificate(port = 41_000): string {
    const client = new MemoryEngine({
      role: 'client',
      local: { ...attacker, port },
      credentials: this.authority.credentials('client.example')
    })
    client.connect(this.server.local, serverName)
    const report = settle(this.server, client).client.reports.at(-1)
    if (report?.kind !== 'established') return report?.reason ?? 'silence'
    client.close(report.peer)
    settle(this.server, client)
    return 'established'
  }

  /** Lets time pass until every handshake has been given up. */
  outwait(): void {
    this.server.advance(60_001)
    this.server.handleTimeouts()
    this.server.take()
  }

  /** Whoever had a session has it still, newcomers get one by either kind of proof, and nothing of the attack is left. */
  expectServiceAsBefore(): void {
    this.outwait()
    this.#survivor.feed(this.#survivor.data('still here'))
    const { plaintexts } = this.server.take()
    expect(plaintexts.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['still here'])
    for (const peer of this.#leftovers) this.server.close(peer)
    this.server.take()
    this.expectNothingKept()
    const newcomer = this.client({ ...honest, port: 50_001 })
    newcomer.handshake()
    this.expectKinds('established')
    expect(this.visitByCertificate()).toBe('established')
    expect(this.server.stats()).toMatchObject({ peers: 2, handshaking: 0 })
  }

  readonly #leftovers: Parameters<MemoryEngine['close']>[0][] = []

  /** Sessions that the attacker has every right to have. */
  takeSessions(): number {
    const established = this.server.take().reports.filter(({ kind }) => kind === 'established')
    this.#leftovers.push(...established.map(({ peer }) => peer))
    return established.length
  }
}
