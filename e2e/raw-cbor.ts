/** CBOR written by hand (RFC 8949 §3), so that a test can write what no encoder would. */

export type Cbor = Uint8Array

/** A head: major type and argument in its shortest form. */
export function head(major: number, argument: number): Cbor {
  if (argument < 24) return Uint8Array.of((major << 5) | argument)
  if (argument < 0x100) return Uint8Array.of((major << 5) | 24, argument)
  if (argument < 0x1_0000) return Uint8Array.of((major << 5) | 25, argument >> 8, argument & 0xff)
  return Uint8Array.of((major << 5) | 26, argument >>> 24, argument >> 16, argument >> 8, argument)
}

export function concat(...parts: readonly Cbor[]): Cbor {
  return Buffer.concat(parts)
}

export function integer(value: number): Cbor {
  return value < 0 ? head(1, -1 - value) : head(0, value)
}

export function text(value: string): Cbor {
  const bytes = Buffer.from(value)
  return concat(head(3, bytes.length), bytes)
}

export function array(...items: readonly Cbor[]): Cbor {
  return concat(head(4, items.length), ...items)
}

export function map(...pairs: readonly (readonly [key: Cbor | number, value: Cbor])[]): Cbor {
  const flat = pairs.flatMap(([key, value]) => [typeof key === 'number' ? integer(key) : key, value])
  return concat(head(5, pairs.length), ...flat)
}

/** Keys of RFC 9132 §6, Table 5. */
export const Key = {
  mitigationScope: 1,
  scope: 2,
  cdid: 3,
  cuid: 4,
  mid: 5,
  targetPrefix: 6,
  targetPortRange: 7,
  lowerPort: 8,
  upperPort: 9,
  targetProtocol: 10,
  targetFqdn: 11,
  targetUri: 12,
  aliasName: 13,
  lifetime: 14,
  status: 16
} as const

type Pair = readonly [key: Cbor | number, value: Cbor]

export function prefixes(...texts: readonly string[]): Pair {
  return [Key.targetPrefix, array(...texts.map((each) => text(each)))]
}

export function lifetime(seconds: number): Pair {
  return [Key.lifetime, integer(seconds)]
}

/** The body of a mitigation request with these members in its one scope. */
export function requestBody(...members: readonly Pair[]): Cbor {
  return scopes(map(...members))
}

/** The body of a mitigation request with these scopes. */
export function scopes(...entries: readonly Cbor[]): Cbor {
  return map([Key.mitigationScope, map([Key.scope, array(...entries)])])
}
