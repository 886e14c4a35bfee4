/**
 * A configuration that may have holes where something is wrong: what is right is looked at all the same, so that one
 * run reports the mistakes of form and those of meaning.
 */
export type Draft<Value> = Value extends readonly (infer Item)[]
  ? readonly (Draft<Item> | undefined)[]
  : Value extends object
    ? { readonly [Key in keyof Value]?: Draft<Value[Key]> | undefined }
    : Value

/** The items of a list that are no holes, each with its place. */
export function present<Item>(items: readonly (Item | undefined)[] | undefined): (readonly [number, Item])[] {
  return (items ?? []).flatMap((item, index) => (item === undefined ? [] : [[index, item] as const]))
}
