import type { CborReader } from '../cbor/reader.ts'
import type { CborWriter } from '../cbor/writer.ts'

/**
 * CBOR ↔ the value of one declared node, straight: no generic tree in between. Which type `Value` is, only the
 * declaration knows (`ValueOf`); the root gives it back (`structure.ts`).
 */
export interface Codec<Value = unknown> {
  /** Reads one item; throws a ModelDecodeError when it is not a value of the node. */
  read(reader: CborReader): Value
  /** Writes one item; throws an InternalError when `value` is not a value of the node. */
  write(writer: CborWriter, value: Value): void
}
