import type {
  BooleanLeaf,
  ContainerNode,
  DecimalLeaf,
  Direction,
  EnumerationLeaf,
  IntegerLeaf,
  Leaf,
  LeafListNode,
  ListNode,
  Member,
  Members,
  Node,
  TextLeaf,
  Unsigned64Leaf
} from './node.ts'
import { isDomainName, isIpAddress, isIpPrefix, isUri, isYangString } from './text-rule.ts'

/** The vocabulary of declarations: each word makes one kind of node. */

export function uint8(): IntegerLeaf {
  return { kind: 'integer', type: 'uint8', minimum: 0, maximum: 0xff }
}

export function uint16(): IntegerLeaf {
  return { kind: 'integer', type: 'uint16', minimum: 0, maximum: 0xffff }
}

export function uint32(): IntegerLeaf {
  return { kind: 'integer', type: 'uint32', minimum: 0, maximum: 0xffff_ffff }
}

/** An uint32, or −1 for "without end". */
export function uint32OrMinusOne(): IntegerLeaf {
  return { kind: 'integer', type: 'union', minimum: -1, maximum: 0xffff_ffff }
}

export function uint64(type: Unsigned64Leaf['type'] = 'uint64'): Unsigned64Leaf {
  return { kind: 'uint64', type }
}

export function boolean(): BooleanLeaf {
  return { kind: 'boolean' }
}

export function decimal64(): DecimalLeaf {
  return { kind: 'decimal64', fractionDigits: 2 }
}

/** A closed set of values. */
export function enumeration(type: string, values: EnumerationLeaf['values']): EnumerationLeaf {
  return { kind: 'enumeration', type, values }
}

/** Values of a registry: unknown ones up to `unassignedUpTo` pass, so that a newer peer can still be followed. */
export function registered(
  type: string,
  values: EnumerationLeaf['values'],
  unassignedUpTo: number
): EnumerationLeaf {
  return { kind: 'enumeration', type, values, unassignedUpTo }
}

export function string(type: 'string' | 'leafref' = 'string', maximumLength: number = Infinity): TextLeaf {
  return { kind: 'text', type, minimumLength: 1, maximumLength, accepts: isYangString }
}

/** `192.0.2.0/24`, `2001:db8::/32`. */
export function ipPrefix(): TextLeaf {
  return { kind: 'text', type: 'ip-prefix', minimumLength: 1, maximumLength: 49, accepts: isIpPrefix }
}

export function ipAddress(): TextLeaf {
  return { kind: 'text', type: 'ip-address', minimumLength: 1, maximumLength: 45, accepts: isIpAddress }
}

export function domainName(): TextLeaf {
  return { kind: 'text', type: 'domain-name', minimumLength: 1, maximumLength: 253, accepts: isDomainName }
}

export function uri(): TextLeaf {
  return { kind: 'text', type: 'uri', minimumLength: 1, maximumLength: Infinity, accepts: isUri }
}

export function leafList<Of extends Leaf>(of: Of): LeafListNode<Of> {
  return { kind: 'leaf-list', of }
}

export function list<Entry extends ContainerNode>(entry: Entry, keyLeaf?: string): ListNode<Entry> {
  return keyLeaf === undefined ? { kind: 'list', entry } : { kind: 'list', entry, keyLeaf }
}

export function container<const Of extends Members>(
  members: Of,
  must?: ContainerNode['must']
): ContainerNode<Of> {
  return { kind: 'container', members, choice: false, ...(must === undefined ? {} : { must }) }
}

/** A container of which one member at most is present. */
export function choice<const Of extends Members>(members: Of): ContainerNode<Of> {
  return { kind: 'container', members, choice: true }
}

/** A member that may be missing, under its CBOR key. */
export function optional<Of extends Node>(
  key: number,
  node: Of,
  direction: Direction = 'both'
): Member<Of, false> {
  return { key, node, mandatory: false, direction }
}

export function mandatory<Of extends Node>(
  key: number,
  node: Of,
  direction: Direction = 'both'
): Member<Of, true> {
  return { key, node, mandatory: true, direction }
}
