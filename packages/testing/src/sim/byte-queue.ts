/** Bytes that wait in line. */
export class ByteQueue {
  readonly #chunks: Uint8Array[] = []
  #taken = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Adds bytes that nobody changes any more. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push(bytes)
    this.#length += bytes.length
  }

  /** The first bytes, as many as there are and not more than `most`. */
  take(most: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(most, this.#length))
    for (let filled = 0; filled < bytes.length;) {
      const [first] = this.#chunks
      if (first === undefined) break
      const piece = first.subarray(this.#taken, this.#taken + bytes.length - filled)
      bytes.set(piece, filled)
      filled += piece.length
      this.#taken += piece.length
      if (this.#taken < first.length) continue
      this.#chunks.shift()
      this.#taken = 0
    }
    this.#length -= bytes.length
    return bytes
  }
}
