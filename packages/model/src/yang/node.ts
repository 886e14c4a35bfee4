/**
 * What a YANG data node is, as plain data. The declarations of a module are made of these; types (`value.ts`), CBOR
 * (`../mapping/`) and JSON (`../json/`) are all read off them.
 */

/** A whole number that a JavaScript number holds exactly. */
export interface IntegerLeaf {
  readonly kind: 'integer'
  /** As YANG calls it; `union` for the lifetime, which is an uint32 or −1. */
  readonly type: 'uint8' | 'uint16' | 'uint32' | 'union'
  readonly minimum: number
  readonly maximum: number
}

/** 0 … 2^64 − 1, as a bigint. */
export interface Unsigned64Leaf {
  readonly kind: 'uint64'
  readonly type: 'uint64' | 'zero-based-counter64' | 'gauge64'
}

export interface BooleanLeaf {
  readonly kind: 'boolean'
}

/** A number on the wire, a name in JSON. */
export interface EnumerationLeaf {
  readonly kind: 'enumeration'
  /** Name of the typedef. */
  readonly type: string
  /** Name → value. */
  readonly values: Readonly<Record<string, number>>
  /** Greatest value to let pass without a name: the registry may have grown. Undefined: none. */
  readonly unassignedUpTo?: number
}

/** A decimal fraction with two digits after the point. */
export interface DecimalLeaf {
  readonly kind: 'decimal64'
  readonly fractionDigits: 2
}

export interface TextLeaf {
  readonly kind: 'text'
  readonly type: 'string' | 'leafref' | 'ip-prefix' | 'ip-address' | 'domain-name' | 'uri'
  /** In characters (code points). */
  readonly minimumLength: number
  readonly maximumLength: number
  /** Whether the text is of its type; undefined: every text is. */
  readonly accepts?: (text: string) => boolean
}

export type Leaf = IntegerLeaf | Unsigned64Leaf | BooleanLeaf | EnumerationLeaf | DecimalLeaf | TextLeaf

export interface LeafListNode<Of extends Leaf = Leaf> {
  readonly kind: 'leaf-list'
  readonly of: Of
}

export interface ListNode<Entry extends ContainerNode = ContainerNode> {
  readonly kind: 'list'
  readonly entry: Entry
  /** YANG name of the leaf that tells entries apart; undefined: none does. */
  readonly keyLeaf?: string
}

export interface ContainerNode<Of extends Members = Members> {
  readonly kind: 'container'
  readonly members: Of
  /** A YANG choice: one of the members at most. */
  readonly choice: boolean
  /** What holds between members, where YANG says `must`: the problem, or undefined. */
  readonly must?: (value: Readonly<Record<string, unknown>>) => MustProblem | undefined
}

export interface MustProblem {
  /** YANG name of the member to blame. */
  readonly member: string
  readonly problem: string
}

export type Node = Leaf | LeafListNode | ListNode | ContainerNode

/** Who may send a member, where the standard restricts it; the two never stand side by side. */
export type Direction = 'server-to-client' | 'client-to-server' | 'both'

export interface Member<Of extends Node = Node, Mandatory extends boolean = boolean> {
  /** CBOR key, 1 … 65535. */
  readonly key: number
  readonly node: Of
  readonly mandatory: Mandatory
  readonly direction: Direction
}

/** YANG name → member. */
export type Members = Readonly<Record<string, Member>>
