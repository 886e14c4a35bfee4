import { parseIpAddress, prefixKey, prefixOf } from '@breakwater/core'

/** What one source may hold at a time. */
export interface SourceLimits {
  readonly handshakingPerSource: number
  readonly peersPerSource: number
}

export type SourceLimit = 'handshaking-per-source' | 'peers-per-source'

/** What one source holds: connections, those that linger included, and those of them that are still handshaking. */
interface SourceShare {
  connections: number
  handshaking: number
}

/** What is to be told of one connection; each counts once, however often it is told. */
export interface SourceEntry {
  /** Its handshake is complete. */
  readonly secured: () => void
  /** Its file is closed. */
  readonly gone: () => void
}

/** Who has an IPv6 /64 has all of its addresses: it counts as one, as an IPv4 address does. */
const bitsOfSource = { 4: 32, 6: 64 } as const

function sourceOf(address: string): string {
  const parsed = parseIpAddress(address.split('%')[0] ?? '')
  return parsed === undefined ? address : prefixKey(prefixOf(parsed, bitsOfSource[parsed.family]))
}

/** How many connections come from where, so that no source takes the room of all others. Holds no more than is connected. */
export class SourceBook {
  readonly #limits: SourceLimits
  readonly #shares = new Map<string, SourceShare>()

  constructor(limits: SourceLimits) {
    this.#limits = limits
  }

  /** Sources that hold something. */
  get size(): number {
    return this.#shares.size
  }

  /** The limit that a further connection from this address would break; undefined: it may come. */
  limitAt(address: string): SourceLimit | undefined {
    const share = this.#shares.get(sourceOf(address))
    if (share === undefined) return undefined
    if (share.connections >= this.#limits.peersPerSource) return 'peers-per-source'
    return share.handshaking >= this.#limits.handshakingPerSource ? 'handshaking-per-source' : undefined
  }

  /** A connection begins. */
  enter(address: string): SourceEntry {
    const source = sourceOf(address)
    const share = this.#shares.get(source) ?? { connections: 0, handshaking: 0 }
    this.#shares.set(source, share)
    share.connections++
    share.handshaking++
    let stage: 'handshaking' | 'secured' | 'gone' = 'handshaking'
    return {
      secured: () => {
        if (stage !== 'handshaking') return
        stage = 'secured'
        share.handshaking--
      },
      gone: () => {
        if (stage === 'gone') return
        if (stage === 'handshaking') share.handshaking--
        stage = 'gone'
        share.connections--
        if (share.connections === 0) this.#shares.delete(source)
      }
    }
  }
}
