import type { ContainerNode, Leaf, Member } from '@breakwater/model'
import { containerIn, declaredFacts } from './declared-facts.ts'
import type { KeyRow } from './key-table.ts'
import type { Facts } from './module-facts.ts'

/** Rows of the table that no node of the module goes with: parameters of the Uri-Path. */
const withoutNode = new Set([
  'mitigation-scope/scope/cdid',
  'mitigation-scope/scope/cuid',
  'signal-config/sid'
])

/** One line for each data node that the declaration and the module do not say the same about. */
export function differencesFromModule(declaration: ContainerNode, expected: Facts): string[] {
  const declared = declaredFacts(declaration)
  return [...new Set([...expected.keys(), ...declared.keys()])]
    .filter((path) => !withoutNode.has(path) && expected.get(path) !== declared.get(path))
    .map(
      (path) =>
        `${path}: ${declared.get(path) ?? 'nothing'}; the module says ${expected.get(path) ?? 'nothing'}`
    )
}

/** One line for each name that has another CBOR key or type than in the table, or is in one of the two only. */
export function differencesFromTable(
  declaration: ContainerNode,
  table: ReadonlyMap<string, KeyRow>
): string[] {
  const members = membersOf(declaration)
  const unused = [...table.keys()].filter((name) => !members.some(([known]) => known === name))
  return [
    ...unused.map((name) => `${name}: is in Table 5 and not declared`),
    ...members.flatMap(([name, member]) => {
      const declared = rowLine(member.key, majorsOf(member))
      const row = table.get(name)
      const expected = row === undefined ? 'nothing' : rowLine(row.key, row.majors)
      return declared === expected ? [] : [`${name}: ${declared}; Table 5 says ${expected}`]
    })
  ]
}

function rowLine(key: number, majors: readonly number[]): string {
  return `key ${key}, major types ${majors.join(' ')}`
}

function membersOf(container: ContainerNode): [string, Member][] {
  return Object.entries(container.members).flatMap(([name, member]) => {
    const inside = containerIn(member.node)
    return [[name, member] as [string, Member], ...(inside === undefined ? [] : membersOf(inside))]
  })
}

function majorsOf({ node }: Member): readonly number[] {
  if (node.kind === 'container') return [5]
  if (node.kind === 'list') return [4]
  return node.kind === 'leaf-list' ? [4, ...leafMajors(node.of)] : leafMajors(node)
}

function leafMajors(leaf: Leaf): readonly number[] {
  switch (leaf.kind) {
    case 'integer':
      return leaf.minimum < 0 ? [0, 1] : [0]
    case 'uint64':
    case 'enumeration':
      return [0]
    case 'boolean':
      return [7, 7]
    case 'decimal64':
      return [6]
    case 'text':
      break
  }
  return [3]
}
