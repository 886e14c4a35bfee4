import type { ContainerNode, Leaf, Member, Node, TextLeaf } from '@breakwater/model'
import { enumerationLine, integerLine, lengthLine, words } from './module-facts.ts'
import type { Facts } from './module-facts.ts'

/** The same facts as `ModuleReader` gives, off our own declarations. */
export function declaredFacts(container: ContainerNode, path = '', facts: Facts = new Map()): Facts {
  for (const [name, member] of Object.entries(container.members)) {
    const here = path === '' ? name : `${path}/${name}`
    facts.set(here, memberLine(member))
    const inside = containerIn(member.node)
    if (inside !== undefined) declaredFacts(inside, here, facts)
  }
  return facts
}

/** The container that a node is, or whose entries it lists. */
export function containerIn(node: Node): ContainerNode | undefined {
  if (node.kind === 'container') return node
  return node.kind === 'list' ? node.entry : undefined
}

function memberLine({ node, mandatory, direction }: Member): string {
  const sender = direction === 'both' ? '' : direction
  if (node.kind === 'container') return words('container', node.must === undefined ? '' : 'must', sender)
  if (node.kind === 'list') {
    const key = node.keyLeaf === undefined ? '' : `key ${node.keyLeaf}`
    return words('list', key, node.entry.must === undefined ? '' : 'must', sender)
  }
  const [keyword, leaf] =
    node.kind === 'leaf-list' ? (['leaf-list', node.of] as const) : (['leaf', node] as const)
  return words(keyword, leafLine(leaf), mandatory ? 'mandatory' : '', sender)
}

function leafLine(leaf: Leaf): string {
  switch (leaf.kind) {
    case 'integer':
      return integerLine(leaf.minimum, leaf.maximum)
    case 'enumeration':
      return enumerationLine(Object.entries(leaf.values))
    case 'decimal64':
      return `decimal64 ${leaf.fractionDigits}`
    case 'uint64':
      return leaf.type
    case 'text':
      return words(leaf.type, lengthOf(leaf))
    case 'boolean':
      break
  }
  return leaf.kind
}

/** Addresses and prefixes have a greatest length too, but by their patterns. */
function lengthOf({ type, minimumLength, maximumLength }: TextLeaf): string {
  if (type === 'ip-address' || type === 'ip-prefix' || maximumLength === Infinity) return ''
  return lengthLine(`${minimumLength}..${maximumLength}`)
}
