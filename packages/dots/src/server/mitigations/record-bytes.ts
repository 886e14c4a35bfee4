import { BreakwaterError, DecodeError, decodeUtf8, encodeUtf8 } from '@breakwater/core'

/** What is wrong with a record. */
export function damaged(kind: string, problem: string): DecodeError {
  return new DecodeError(`DOTS_SERVER_RECORD_${kind}`, problem)
}

/** Writes the fields of a record, one behind the other, in network order. */
export class RecordWriter {
  #bytes = new Uint8Array(256)
  #length = 0

  u8(value: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = value
  }

  u16(value: number): void {
    this.u8(value >> 8)
    this.u8(value & 0xff)
  }

  f64(value: number): void {
    this.#room(8)
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value)
    this.#length += 8
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  text(value: string): void {
    const bytes = encodeUtf8(value)
    this.u16(bytes.length)
    this.bytes(bytes)
  }

  list<Item>(items: readonly Item[], write: (writer: RecordWriter, item: Item) => void): void {
    this.u16(items.length)
    for (const item of items) write(this, item)
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/** Reads them again; what is not there is a `DecodeError`. */
export class RecordReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  u8(): number {
    return this.bytes(1)[0] ?? 0
  }

  u16(): number {
    return (this.u8() << 8) | this.u8()
  }

  moment(): number {
    const view = this.bytes(8)
    const value = new DataView(view.buffer, view.byteOffset, 8).getFloat64(0)
    if (!Number.isFinite(value)) throw damaged('INVALID', 'a moment is no number')
    return value
  }

  text(): string {
    const bytes = this.bytes(this.u16())
    try {
      return decodeUtf8(bytes)
    } catch (error) {
      if (error instanceof BreakwaterError) throw damaged('INVALID', 'a text is not UTF-8')
      throw error
    }
  }

  list<Item>(read: (reader: RecordReader) => Item): Item[] {
    const items: Item[] = []
    for (let left = this.u16(); left > 0; left--) items.push(read(this))
    return items
  }

  bytes(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) throw damaged('CUT_OFF', `ends at byte ${this.#bytes.length}`)
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  end(): void {
    if (this.#at !== this.#bytes.length)
      throw damaged('INVALID', `${this.#bytes.length - this.#at} bytes behind its end`)
  }
}
