import { formatIpPrefix, integerBelow, prefixesOverlap } from '@breakwater/core'
import type { Entropy, PeerIdentity } from '@breakwater/core'
import type { Cuid } from '@breakwater/dots'
import { prefix } from '@breakwater/testing'
import type { Peer, ServerBed } from '../server-bed.ts'
import type { CrashWorld } from './crash-world.ts'

interface Change {
  readonly kind: 'grant' | 'withdraw'
  readonly mid: number
  /** Of what is to be protected. */
  readonly prefix: string
}

interface Asked extends Change {
  readonly server: ServerBed
  readonly answers: ReturnType<Peer['put']>
}

/** By mid. */
type Holding = ReadonlyMap<number, string>

/** Addresses of one client. */
const ADDRESSES = 16

/**
 * One client that asks either server, whichever, one request after the other; it knows what a right server answers, and what
 * it has when a request was not answered: that is done as a whole, or not at all.
 */
export class CrashClient {
  readonly #world: CrashWorld
  readonly #entropy: Entropy
  readonly #cuid: Cuid
  readonly #identity: PeerIdentity
  readonly #network: string
  readonly #firstHost: number
  readonly #peers = new Map<ServerBed, Peer>()
  #held: Holding = new Map()
  #asked: Asked | undefined
  #highest = 0
  readonly #filtered = new Set<number>()
  acknowledged = 0

  constructor(
    world: CrashWorld,
    entropy: Entropy,
    who: { cuid: Cuid; identity: PeerIdentity; network: string; firstHost: number }
  ) {
    this.#world = world
    this.#entropy = entropy
    this.#cuid = who.cuid
    this.#identity = who.identity
    this.#network = who.network
    this.#firstHost = who.firstHost
  }

  /** What it may have: the second one when the request that has no answer is done. */
  get candidates(): string[][] {
    const all = this.#asked === undefined ? [this.#held] : [this.#held, after(this.#held, this.#asked)]
    return all.map(textsOf)
  }

  /** What was filtered once, and is still to be, is filtered without a moment in between. */
  watch(): void {
    for (const [mid, wanted] of this.#held) {
      if (this.#asked !== undefined && (this.#asked.mid === mid || this.#asked.kind === 'grant')) continue
      const isFiltered = [...this.#world.inForce.values()].some(
        (plan) => plan?.target.prefixes.some((each) => formatIpPrefix(each) === wanted) === true
      )
      if (!isFiltered && this.#filtered.has(mid)) this.#world.faults.push(`mid ${mid} has lost its filter`)
      if (isFiltered) this.#filtered.add(mid)
    }
  }

  /** Takes the answer that it waits for, or asks something, or gives up on a server that is dead. */
  act(): void {
    const asked = this.#asked
    if (asked === undefined) {
      this.#ask(this.#choose())
      return
    }
    const [answer] = asked.answers
    if (answer !== undefined) {
      const code = codeFor(this.#held, asked)
      if (answer.code !== code)
        this.#world.faults.push(`${asked.kind} ${asked.mid}: ${answer.code} ${answer.text}, not ${code}`)
      this.acknowledged++
      this.#held = after(this.#held, asked)
      for (const mid of this.#filtered) if (!this.#held.has(mid)) this.#filtered.delete(mid)
      this.#asked = undefined
    }
  }

  get isWaiting(): boolean {
    return this.#asked !== undefined
  }

  /** Whether the server that it waits for is gone. */
  get isLost(): boolean {
    return this.#asked?.server.isDead === true && this.#asked.answers.length === 0
  }

  /** The request that has no answer was done, or was not. @returns false when it is half done, or something else is wrong. */
  settle(shown: readonly string[]): boolean {
    const index = this.candidates.findIndex((each) => each.join() === shown.join())
    if (index < 0) return false
    if (index === 1 && this.#asked !== undefined) this.#held = after(this.#held, this.#asked)
    this.#asked = undefined
    return true
  }

  withdrawNext(): boolean {
    if (this.isWaiting) return true
    const [mid] = this.#held.keys()
    if (mid === undefined) return false
    this.#ask({ kind: 'withdraw', mid, prefix: '' })
    return true
  }

  /** `mid prefix` of each that a server shows of this client's, sorted. */
  shownBy(server: ServerBed): string[] {
    const own = server.machine
      .mitigations(server.now)
      .filter(({ cuid, state }) => cuid === this.#cuid && state !== 'terminating')
    return textsOf(
      new Map(
        own.map(({ mitigationId, target }) => [mitigationId, target.prefixes.map(formatIpPrefix).join()])
      )
    )
  }

  #ask(change: Change): void {
    const { alive } = this.#world
    const server = alive[integerBelow(this.#entropy, alive.length)]
    if (server === undefined) throw new Error('none is alive')
    const peer = this.#peers.get(server) ?? server.establish(this.#identity)
    this.#peers.set(server, peer)
    const { kind, mid } = change
    const entry = { targetPrefix: [change.prefix], lifetime: 36_000 }
    const answers = kind === 'withdraw' ? peer.delete(mid, this.#cuid) : peer.put(mid, entry, this.#cuid)
    this.#asked = { ...change, server, answers }
  }

  #choose(): Change {
    const mids = [...this.#held.keys()]
    const mid = mids[integerBelow(this.#entropy, Math.max(1, mids.length))]
    const chance = integerBelow(this.#entropy, 10)
    if (mid === undefined || chance < 5)
      return { kind: 'grant', mid: ++this.#highest, prefix: this.#anyPrefix() }
    if (chance < 7) return { kind: 'withdraw', mid, prefix: '' }
    // A refresh, or a lower mid that may be refused.
    const asked = chance < 9 ? mid : 1 + integerBelow(this.#entropy, mid)
    return { kind: 'grant', mid: asked, prefix: this.#held.get(mid) ?? '' }
  }

  #anyPrefix(): string {
    const size = integerBelow(this.#entropy, 3) === 0 ? 4 : 1
    const from = integerBelow(this.#entropy, ADDRESSES / size) * size
    return `${this.#network}${this.#firstHost + from}/${size === 1 ? 32 : 30}`
  }
}

function textsOf(held: Holding): string[] {
  return [...held].map(([mid, wanted]) => `${mid} ${wanted}`).toSorted()
}

function overlapping(a: string, b: string): boolean {
  return prefixesOverlap(prefix(a), prefix(b))
}

/** RFC 9132 §4.4.1.3 for one client, §4.4.4 for withdrawals. */
function codeFor(held: Holding, { kind, mid, prefix: wanted }: Change): string {
  if (kind === 'withdraw') return '2.02'
  const existing = held.get(mid)
  if (existing !== undefined) return existing === wanted ? '2.04' : '4.00'
  return [...held].some(([other, prefixOf]) => other > mid && overlapping(prefixOf, wanted)) ? '4.09' : '2.01'
}

function after(held: Holding, change: Change): Holding {
  if (codeFor(held, change).startsWith('4')) return held
  const { kind, mid, prefix: wanted } = change
  if (kind === 'withdraw') return new Map([...held].filter(([other]) => other !== mid))
  const left = [...held].filter(([other, prefixOf]) => other === mid || !overlapping(prefixOf, wanted))
  return new Map([...left, [mid, wanted]])
}
