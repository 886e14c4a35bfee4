/** Version 1 knew two flags: indefinite and terminating. Nothing could be preconfigured. */
const FLAGS_OF_1 = 0x03

/** Behind the protocols, where version 1 ends: three lists without entries. */
const EMPTY_LISTS_BYTES = 6

/**
 * The record that a server wrote of the same mitigation when its records were of version 1. Undefined: it could not say
 * that, so no such mitigation was there.
 */
export function inVersion1(record: Uint8Array): Uint8Array | undefined {
  const [version, flags = 0] = record
  const end = record.length - EMPTY_LISTS_BYTES
  const hasMore = record.subarray(end).some((byte) => byte !== 0)
  if (version !== 2 || (flags & ~FLAGS_OF_1) !== 0 || hasMore) return undefined
  return withVersion(1, record.subarray(0, end))
}

/** A record of a program that nobody has written yet. */
export function inUnknownVersion(record: Uint8Array): Uint8Array {
  return withVersion(99, record)
}

function withVersion(version: number, record: Uint8Array): Uint8Array {
  const changed = record.slice()
  changed[0] = version
  return changed
}
