import { integerBelow } from '@breakwater/core'
import type { Entropy } from '@breakwater/core'
import { Method } from '@breakwater/coap'
import type { MitigationView } from '@breakwater/control'
import type { PskServer } from '../e2e/psk-server.ts'
import { lifetime, prefixes, requestBody } from '../e2e/raw-cbor.ts'
import { asDotsCbor, mitigate } from '../e2e/raw-peer.ts'
import type { RawPeer, RawRequest } from '../e2e/raw-peer.ts'
import type { ClientPlace } from './client-place.ts'
import { Ledger } from './ledger.ts'
import type { Change, Range } from './ledger.ts'

/** Addresses of one client; with overrides and withdrawals, it has about a dozen mitigations at a time. */
const BLOCK = 32

/** Requests that a client sends at once: the server takes them one by one. */
const BURST = 3

/** How long the end of a process may take to become known. */
const DEATH_MS = 2000

const MOMENT_MS = 2

/** A server that may be gone at any time. */
export interface LivingServer {
  readonly server: PskServer
  readonly isGone: () => boolean
}

/** One DOTS client that asks for and withdraws mitigations without end, and keeps book of it. */
export class SignallingClient {
  readonly #place: ClientPlace
  readonly #entropy: Entropy
  readonly #ledger: Ledger
  #highestMid = 0
  acknowledged = 0
  /** Answers that no right server gives. */
  readonly faults: string[] = []

  constructor(place: ClientPlace, entropy: Entropy) {
    this.#place = place
    this.#entropy = entropy
    this.#ledger = new Ledger((range) => this.#prefixOf(range))
  }

  /** Compares what the server has of this client's with what it acknowledged. */
  settle(all: readonly MitigationView[]): string[] {
    const { cuid } = this.#place
    const faults = this.#ledger.settle(all.filter((view) => view.cuid === cuid))
    return faults.map((fault) => `${cuid}: ${fault}`)
  }

  /** Asks one server or the other, whichever, until `isOver`, or until none is left. */
  async run(servers: readonly LivingServer[], isOver: () => boolean = () => false): Promise<void> {
    const peers = new Map<LivingServer, RawPeer>()
    const left = new Set(servers)
    try {
      while (left.size > 0 && !isOver()) {
        const server = [...left][integerBelow(this.#entropy, left.size)]
        if (server === undefined) return
        const peer = peers.get(server) ?? (await this.#connect(server))
        if (peer !== undefined) peers.set(server, peer)
        // A server that closes ends its sessions before it is gone.
        if (peer !== undefined && (await this.#burst(peer, server.isGone))) continue
        left.delete(server)
        // What has no answer may be done or not: nothing more can be asked of others before that is known.
        if (this.#ledger.unanswered > 0) return
      }
    } finally {
      for (const peer of peers.values()) await peer.close()
    }
  }

  /** Undefined when it ended before the handshake did. */
  async #connect({ server, isGone }: LivingServer): Promise<RawPeer | undefined> {
    try {
      return await server.connect(this.#place.identity)
    } catch (error) {
      // One that closes refuses handshakes before its end is known.
      for (let waited = 0; waited < DEATH_MS && !isGone(); waited += MOMENT_MS) await moment()
      if (isGone()) return undefined
      throw error
    }
  }

  /** @returns false when the session is over. */
  async #burst(peer: RawPeer, isGone: () => boolean): Promise<boolean> {
    const open: (readonly [id: number, code: string, change: Change])[] = []
    for (let count = 1 + integerBelow(this.#entropy, BURST); count > 0; count--) {
      const change = this.#choose()
      const id = sent(peer, this.#request(change))
      if (id === undefined) return false
      open.push([id, this.#ledger.ask(change), change])
    }
    for (const [id, code, change] of open) {
      let wasGone = isGone()
      // Once more after its end: the last answer may still be on its way through the kernel.
      while (peer.answerTo(id) === undefined && !wasGone) {
        wasGone = isGone()
        await moment()
      }
      const answer = peer.answerTo(id)
      if (answer === undefined) return false
      this.acknowledged++
      this.#ledger.acknowledge()
      if (answer.code !== code)
        this.faults.push(
          `${this.#place.cuid}: ${JSON.stringify(change)} got ${answer.code} ${answer.text}, not ${code}`
        )
    }
    return true
  }

  #choose(): Change {
    const mids = [...this.#ledger.expected.keys()]
    const mid = mids[integerBelow(this.#entropy, Math.max(1, mids.length))]
    const chance = integerBelow(this.#entropy, 10)
    if (mid === undefined || chance < 5)
      return {
        kind: 'grant',
        mid: ++this.#highestMid,
        range: this.#anyRange(),
        lifetimeSeconds: this.#lifetime()
      }
    if (chance < 7) return { kind: 'withdraw', mid }
    const range = this.#ledger.expected.get(mid)?.range ?? this.#anyRange()
    // Of a mid that is gone: what a higher one covers is refused, and what none does is granted again.
    const asked = chance < 9 ? mid : 1 + integerBelow(this.#entropy, mid)
    return { kind: 'grant', mid: asked, range, lifetimeSeconds: this.#lifetime() }
  }

  #anyRange(): Range {
    const size = integerBelow(this.#entropy, 3) === 0 ? 4 : 1
    return { from: integerBelow(this.#entropy, BLOCK / size) * size, size }
  }

  #lifetime(): number {
    return 300 + 10 * integerBelow(this.#entropy, 300)
  }

  #prefixOf({ from, size }: Range): string {
    const { network, firstHost } = this.#place
    return `${network}${firstHost + from}/${size === 1 ? 32 : 30}`
  }

  #request(change: Change): RawRequest {
    const path = mitigate(`cuid=${this.#place.cuid}`, `mid=${change.mid}`)
    if (change.kind === 'withdraw') return { path, method: Method.delete }
    const payload = requestBody(prefixes(this.#prefixOf(change.range)), lifetime(change.lifetimeSeconds))
    return { path, options: [asDotsCbor], payload }
  }
}

/** Undefined when the session is over. */
function sent(peer: RawPeer, request: RawRequest): number | undefined {
  try {
    return peer.request(request)
  } catch {
    return undefined
  }
}

function moment(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, MOMENT_MS)
  })
}
