import { integerBelow } from '@breakwater/core'
import type { Entropy } from '@breakwater/core'
import { Method } from '@breakwater/coap'
import type { MitigationView } from '@breakwater/control'
import type { Identity, PskServer } from '../e2e/psk-server.ts'
import { lifetime, prefixes, requestBody } from '../e2e/raw-cbor.ts'
import { asDotsCbor, mitigate } from '../e2e/raw-peer.ts'
import type { RawPeer, RawRequest } from '../e2e/raw-peer.ts'
import { Ledger } from './ledger.ts'
import type { Change, Range } from './ledger.ts'

/** Addresses of one client; with overrides and withdrawals, it has about a dozen mitigations at a time. */
const BLOCK = 32

/** Requests that a client sends at once: the server takes them one by one. */
const BURST = 3

/** Which client, and its block of addresses. */
export interface ClientPlace {
  readonly identity: Identity
  readonly cuid: string
  /** `203.0.113.` */
  readonly network: string
  readonly firstHost: number
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

  /** Goes on until the server is gone. */
  async run(server: PskServer, isGone: () => boolean): Promise<void> {
    const peer = await server.connect(this.#place.identity).catch((error: unknown) => {
      // Killed before it had finished the handshake.
      if (isGone()) return undefined
      throw error
    })
    if (peer === undefined) return
    try {
      // A server that closes ends its sessions before it is gone.
      while (!isGone() && (await this.#burst(peer, isGone)));
    } finally {
      await peer.close()
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
    setTimeout(resolve, 2)
  })
}
