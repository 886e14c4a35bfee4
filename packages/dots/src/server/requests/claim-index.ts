import { addressBits, equalPrefixes, prefixContains, prefixOf } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'

interface Node<Value> {
  readonly prefix: IpPrefix
  readonly values: Value[]
  /** Children by the first bit behind the prefix. */
  zero: Node<Value> | undefined
  one: Node<Value> | undefined
}

/**
 * Who claims which prefix, asked for all claims that overlap a prefix: those that contain it and those within it. A
 * path-compressed binary trie: an answer costs the length of the prefix and what is found, however many claims there are.
 */
export class ClaimIndex<Value> {
  #ipv4: Node<Value> | undefined
  #ipv6: Node<Value> | undefined

  /** Adds a claim; one prefix may have many. */
  add(prefix: IpPrefix, value: Value): void {
    if (prefix.address.family === 4) this.#ipv4 = insert(this.#ipv4, prefix, value)
    else this.#ipv6 = insert(this.#ipv6, prefix, value)
  }

  /** Takes one claim back; harmless when it is not there. */
  remove(prefix: IpPrefix, value: Value): void {
    if (prefix.address.family === 4) this.#ipv4 = without(this.#ipv4, prefix, value)
    else this.#ipv6 = without(this.#ipv6, prefix, value)
  }

  /** All claims that share an address with `prefix`. The index must not change meanwhile. */
  *overlapping(prefix: IpPrefix): Generator<Value, void, undefined> {
    let node = prefix.address.family === 4 ? this.#ipv4 : this.#ipv6
    while (node !== undefined && node.prefix.length < prefix.length) {
      if (!prefixContains(node.prefix, prefix)) return
      yield* node.values
      node = bitAt(prefix.address, node.prefix.length) === 0 ? node.zero : node.one
    }
    if (node !== undefined && prefixContains(prefix, node.prefix)) yield* all(node)
  }
}

function insert<Value>(node: Node<Value> | undefined, prefix: IpPrefix, value: Value): Node<Value> {
  if (node === undefined) return leaf(prefix, [value])
  if (equalPrefixes(node.prefix, prefix)) {
    node.values.push(value)
    return node
  }
  const common = commonLength(node.prefix, prefix)
  if (common === node.prefix.length) {
    if (bitAt(prefix.address, common) === 0) node.zero = insert(node.zero, prefix, value)
    else node.one = insert(node.one, prefix, value)
    return node
  }
  if (common === prefix.length) return withChild(leaf(prefix, [value]), node)
  return withChild(withChild(leaf(prefixOf(prefix.address, common), []), node), leaf(prefix, [value]))
}

function without<Value>(
  node: Node<Value> | undefined,
  prefix: IpPrefix,
  value: Value
): Node<Value> | undefined {
  if (node === undefined || !prefixContains(node.prefix, prefix)) return node
  if (node.prefix.length < prefix.length) {
    if (bitAt(prefix.address, node.prefix.length) === 0) node.zero = without(node.zero, prefix, value)
    else node.one = without(node.one, prefix, value)
  } else {
    const index = node.values.indexOf(value)
    if (index >= 0) node.values.splice(index, 1)
  }
  if (node.values.length > 0 || (node.zero !== undefined && node.one !== undefined)) return node
  return node.zero ?? node.one
}

function leaf<Value>(prefix: IpPrefix, values: Value[]): Node<Value> {
  return { prefix, values, zero: undefined, one: undefined }
}

function withChild<Value>(parent: Node<Value>, child: Node<Value>): Node<Value> {
  if (bitAt(child.prefix.address, parent.prefix.length) === 0) parent.zero = child
  else parent.one = child
  return parent
}

function* all<Value>(node: Node<Value>): Generator<Value, void, undefined> {
  yield* node.values
  if (node.zero !== undefined) yield* all(node.zero)
  if (node.one !== undefined) yield* all(node.one)
}

/** Bits that both prefixes begin with. */
function commonLength(x: IpPrefix, y: IpPrefix): number {
  const most = Math.min(x.length, y.length)
  for (let word = 0; word * 32 < addressBits(x.address.family); word++) {
    const difference = wordOf(x.address, word) ^ wordOf(y.address, word)
    if (difference !== 0) return Math.min(most, word * 32 + Math.clz32(difference))
  }
  return most
}

function bitAt(address: IpAddress, index: number): number {
  return (wordOf(address, index >> 5) >>> (31 - (index & 31))) & 1
}

function wordOf(address: IpAddress, index: number): number {
  return index === 0 ? address.a : index === 1 ? address.b : index === 2 ? address.c : address.d
}
