import type { ContainerNode, LeafListNode, ListNode, Member, Members, Node } from './node.ts'

/** `target-prefix` → `targetPrefix`. */
export type FieldName<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<FieldName<Tail>>}`
  : Name

type MandatoryNames<Of extends Members> = {
  [Name in keyof Of]: Of[Name] extends Member<Node, true> ? Name : never
}[keyof Of]

type Fields<Of extends Members> = {
  readonly [Name in MandatoryNames<Of> & string as FieldName<Name>]: ValueOf<Of[Name]['node']>
} & {
  readonly [Name in Exclude<keyof Of, MandatoryNames<Of>> & string as FieldName<Name>]?: ValueOf<
    Of[Name]['node']
  >
}

type Flat<T> = { [Key in keyof T]: T[Key] }

interface LeafValues {
  integer: number
  uint64: bigint
  boolean: boolean
  enumeration: number
  decimal64: number
  text: string
}

/** The TypeScript type of the values of a declared node. */
export type ValueOf<Of extends Node> =
  Of extends ContainerNode<infer Inner>
    ? Flat<Fields<Inner>>
    : Of extends ListNode<infer Entry>
      ? readonly ValueOf<Entry>[]
      : Of extends LeafListNode<infer Each>
        ? readonly ValueOf<Each>[]
        : Of extends { kind: infer Kind extends keyof LeafValues }
          ? LeafValues[Kind]
          : never

/** Identity, not assignability in both directions: that one lets an optional property be left out. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- two generic signatures are compared, not called
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** A container whose values are proved to be of type `Value`. */
export interface ContainerOf<Value> {
  readonly node: ContainerNode
  /** Only for the compiler; never set. */
  readonly value?: Value
}

/**
 * Ties a hand-written, documented interface to its declaration: `valuesOf<Heartbeat>()(container({ … }))` compiles only
 * where the inferred type is that interface to the letter, `readonly` and `?` included.
 */
export function valuesOf<Value>(): <Of extends ContainerNode>(
  node: Equal<ValueOf<Of>, Value> extends true ? Of : never
) => ContainerOf<Value> {
  return (node) => ({ node })
}

/** The property that a YANG name has in TypeScript. */
export function fieldName(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
