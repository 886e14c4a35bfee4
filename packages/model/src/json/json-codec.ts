import type { JsonValue } from './json-value.ts'
import type { Place } from './place.ts'

/** Parsed JSON ↔ the value of one declared node, as RFC 7951 has it. */
export interface JsonCodec<Value = unknown> {
  /** The value that `json` stands for; fails at `place` when it is not one of the node. */
  read(json: unknown, place: Place): Value
  /** The reverse; fails at `place` when `value` is not one that `read` could have given. */
  write(value: Value, place: Place): JsonValue
}
