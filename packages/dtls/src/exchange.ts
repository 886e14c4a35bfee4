import type { OutgoingBatch, PeerId, PlaintextBatch } from '@breakwater/core'
import { addon } from './addon.ts'

const layout = addon.exchangeLayout

/** Indices of the counts at the start of the shared memory. */
const outgoingCount = 0
const inTurn = 1

/**
 * The memory that JavaScript shares with C++. One direction holds the plaintexts that arrived, the other those that wait
 * to leave; each slot names a peer and a range of bytes.
 */
export class Exchange {
  readonly #counts: Uint32Array
  readonly #outgoingPeer: Float64Array
  readonly #outgoingOffset: Uint32Array
  readonly #outgoingLength: Uint32Array
  readonly #outgoingBytes: Uint8Array
  readonly #incomingPeer: Float64Array
  readonly #incomingOffset: Uint32Array
  readonly #incomingLength: Uint32Array
  readonly #memory: ArrayBuffer
  #used = 0

  constructor(memory: ArrayBuffer) {
    this.#memory = memory
    this.#counts = new Uint32Array(memory, 0, 2)
    this.#incomingPeer = new Float64Array(memory, layout.incomingPeer, layout.slots)
    this.#incomingOffset = new Uint32Array(memory, layout.incomingOffset, layout.slots)
    this.#incomingLength = new Uint32Array(memory, layout.incomingLength, layout.slots)
    this.#outgoingPeer = new Float64Array(memory, layout.outgoingPeer, layout.slots)
    this.#outgoingOffset = new Uint32Array(memory, layout.outgoingOffset, layout.slots)
    this.#outgoingLength = new Uint32Array(memory, layout.outgoingLength, layout.slots)
    this.#outgoingBytes = new Uint8Array(memory, layout.outgoingBytes, layout.bytes)
  }

  /** Whether C++ is calling us and will take what is queued when that call ends. */
  get inTurn(): boolean {
    return this.#counts[inTurn] === 1
  }

  /** Copies one plaintext; false when there is no room until C++ has taken the others. */
  queue(peer: PeerId, bytes: Uint8Array): boolean {
    const slot = this.#counts[outgoingCount] ?? 0
    if (slot === 0) this.#used = 0
    if (slot === layout.slots || this.#used + bytes.length > layout.bytes) return false
    this.#outgoingBytes.set(bytes, this.#used)
    this.#outgoingPeer[slot] = peer
    this.#outgoingOffset[slot] = this.#used
    this.#outgoingLength[slot] = bytes.length
    this.#used += bytes.length
    this.#counts[outgoingCount] = slot + 1
    return true
  }

  /**
   * Copies plaintexts of a batch, from one of them on.
   * @returns with which one to go on, once C++ has taken these
   */
  queueBatch(batch: OutgoingBatch, from: number): number {
    const slot = this.#counts[outgoingCount] ?? 0
    if (slot === 0) this.#used = 0
    const start = batch.start(from)
    const shift = this.#used - start
    let next = from
    for (let to = slot; next < batch.count && to < layout.slots; next++, to++) {
      const end = batch.end(next)
      if (shift + end > layout.bytes) break
      const at = batch.start(next)
      this.#outgoingPeer[to] = batch.peer(next)
      this.#outgoingOffset[to] = shift + at
      this.#outgoingLength[to] = end - at
    }
    if (next === from) return from
    const end = batch.end(next - 1)
    this.#outgoingBytes.set(batch.memory.subarray(start, end), this.#used)
    this.#used = shift + end
    this.#counts[outgoingCount] = slot + next - from
    return next
  }

  peer(slot: number): PeerId {
    return this.#incomingPeer[slot] as PeerId
  }

  bytes(slot: number): Uint8Array {
    const offset = layout.incomingBytes + (this.#incomingOffset[slot] ?? 0)
    return new Uint8Array(this.#memory, offset, this.#incomingLength[slot])
  }
}

/** A run of plaintexts. Remembers how far it was read, so that a handler that throws loses no more than it touched. */
export class ExchangeBatch implements PlaintextBatch {
  readonly count: number
  readonly #exchange: Exchange
  readonly #from: number
  #touched = 0

  constructor(exchange: Exchange, from: number, to: number) {
    this.#exchange = exchange
    this.#from = from
    this.count = to - from
  }

  /** How many plaintexts, from the first on, somebody has looked at. */
  get touched(): number {
    return this.#touched
  }

  peer(index: number): PeerId {
    return this.#exchange.peer(this.#slot(index))
  }

  bytes(index: number): Uint8Array {
    return this.#exchange.bytes(this.#slot(index))
  }

  #slot(index: number): number {
    if (!(index >= 0 && index < this.count))
      throw new RangeError(`no plaintext ${index} in a batch of ${this.count}`)
    if (index >= this.#touched) this.#touched = index + 1
    return this.#from + index
  }
}
