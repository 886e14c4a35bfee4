import type { PeerId, PlaintextBatch } from './secure-endpoint.ts'

/**
 * Plaintexts for many peers that leave together, one behind the other in one piece of memory: an array for each would cost
 * more than what is written into it.
 */
export class OutgoingBatch implements PlaintextBatch {
  readonly #peers: PeerId[] = []
  readonly #ends: number[] = []
  #memory: Uint8Array
  #length = 0

  /** @param room Bytes of memory at first; doubled whenever it does not do. */
  constructor(room = 256) {
    this.#memory = new Uint8Array(room)
  }

  get count(): number {
    return this.#peers.length
  }

  /** All plaintexts; what lies behind the end of the last one means nothing. Another one after `add`, perhaps. */
  get memory(): Uint8Array {
    return this.#memory
  }

  /** Adds a plaintext of so many bytes, all of which the caller has to write. @returns where in `memory` it begins */
  add(peer: PeerId, length: number): number {
    const start = this.#length
    const end = start + length
    if (end > this.#memory.length) this.#grow(end)
    this.#peers.push(peer)
    this.#ends.push(end)
    this.#length = end
    return start
  }

  peer(index: number): PeerId {
    return this.#peers[index] ?? none(index)
  }

  /** Where in `memory` a plaintext begins. */
  start(index: number): number {
    return index === 0 ? 0 : this.end(index - 1)
  }

  /** Where in `memory` a plaintext ends. */
  end(index: number): number {
    return this.#ends[index] ?? none(index)
  }

  bytes(index: number): Uint8Array {
    return this.#memory.subarray(this.start(index), this.end(index))
  }

  #grow(least: number): void {
    const memory = new Uint8Array(Math.max(least, 2 * this.#memory.length))
    memory.set(this.#memory)
    this.#memory = memory
  }
}

function none(index: number): never {
  throw new RangeError(`no plaintext ${index} in this batch`)
}
