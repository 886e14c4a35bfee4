import type { CborReader } from '../cbor/reader.ts'
import { UNTIL_BREAK } from '../cbor/reader.ts'
import type { CborWriter } from '../cbor/writer.ts'
import { fieldName } from '../yang/value.ts'
import type { Codec } from './codec.ts'

/** Lists and leaf-lists: arrays of at least one entry. */
export class ListCodec implements Codec<readonly unknown[]> {
  readonly #entry: Codec
  readonly #keyLeaf: string | undefined

  constructor(entry: Codec, keyLeaf?: string) {
    this.#entry = entry
    this.#keyLeaf = keyLeaf
  }

  read(reader: CborReader): readonly unknown[] {
    const count = reader.enterArray()
    const entries: unknown[] = []
    reader.trail.enter()
    while (count === UNTIL_BREAK ? !reader.takeBreak() : entries.length < count) {
      reader.trail.at(entries.length)
      entries.push(this.#entry.read(reader))
    }
    reader.trail.leave()
    reader.leave()
    // RFC 9132 §4.4.1.1: an empty value renders the entire request invalid.
    if (entries.length === 0) reader.fail('MODEL_EMPTY_VALUE', 'is empty')
    const twin = this.#twin(entries)
    if (twin !== undefined) reader.fail('MODEL_CONSTRAINT_VIOLATED', twin)
    return entries
  }

  write(writer: CborWriter, value: readonly unknown[]): void {
    if (!Array.isArray(value) || value.length === 0) writer.fail('is not a list of one entry or more')
    const twin = this.#twin(value)
    if (twin !== undefined) writer.fail(twin)
    writer.startArray(value.length)
    writer.trail.enter()
    for (const [index, entry] of value.entries()) {
      writer.trail.at(index)
      this.#entry.write(writer, entry)
    }
    writer.trail.leave()
  }

  /** Says which key two entries share (RFC 7950 §7.8.2), or undefined. */
  #twin(entries: readonly unknown[]): string | undefined {
    if (this.#keyLeaf === undefined || entries.length < 2) return undefined
    const field = fieldName(this.#keyLeaf)
    const seen = new Set<unknown>()
    for (const entry of entries) {
      const key = (entry as Readonly<Record<string, unknown>>)[field]
      if (seen.has(key)) return `two entries have the ${this.#keyLeaf} ${String(key)}`
      seen.add(key)
    }
    return undefined
  }
}
