import type { CborReader } from '../cbor/reader.ts'
import { UNTIL_BREAK } from '../cbor/reader.ts'
import type { CborWriter } from '../cbor/writer.ts'
import type { Codec } from './codec.ts'
import { keyTwin } from './list-rule.ts'

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
    const twin = keyTwin(entries, this.#keyLeaf)
    if (twin !== undefined) reader.fail('MODEL_CONSTRAINT_VIOLATED', twin)
    return entries
  }

  write(writer: CborWriter, value: readonly unknown[]): void {
    if (!Array.isArray(value) || value.length === 0) writer.fail('is not a list of one entry or more')
    const twin = keyTwin(value, this.#keyLeaf)
    if (twin !== undefined) writer.fail(twin)
    writer.startArray(value.length)
    writer.trail.enter()
    for (const [index, entry] of value.entries()) {
      writer.trail.at(index)
      this.#entry.write(writer, entry)
    }
    writer.trail.leave()
  }
}
