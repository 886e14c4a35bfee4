/** What JSON can say (RFC 8259 §3). */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject

/** An object of `JsonValue`s. */
export interface JsonObject {
  readonly [name: string]: JsonValue
}

/** `a number`, for messages. */
export function kindOf(json: unknown): string {
  if (json === null) return 'null'
  if (Array.isArray(json)) return 'an array'
  switch (typeof json) {
    case 'boolean':
      return 'a boolean'
    case 'number':
      return 'a number'
    case 'string':
      return 'a text'
    case 'object':
      return 'an object'
    case 'bigint':
    case 'function':
    case 'symbol':
    case 'undefined':
      break
  }
  return `nothing that JSON has (${typeof json})`
}
