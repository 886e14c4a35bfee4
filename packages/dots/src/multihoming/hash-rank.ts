/**
 * The items in an order that depends on the key and on their own names alone (rendezvous hashing): over many keys each is
 * first equally often, and when one is gone only the keys move that had it first.
 */
export function rankByHash<Item>(
  key: string,
  items: readonly Item[],
  nameOf: (item: Item) => string
): Item[] {
  return items
    .map((item) => ({ item, name: nameOf(item), rank: hash(`${nameOf(item)} ${key}`) }))
    .sort((a, b) => b.rank - a.rank || (a.name < b.name ? -1 : 1))
    .map(({ item }) => item)
}

/** FNV-1a, with the last mixing of MurmurHash3: by itself it hardly tells keys apart that differ in their last letter. */
function hash(text: string): number {
  let bits = 0x811c9dc5
  for (let at = 0; at < text.length; at++) bits = Math.imul(bits ^ text.charCodeAt(at), 0x01000193)
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
