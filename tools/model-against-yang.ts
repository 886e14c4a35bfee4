// Compares the declarations of `@breakwater/model` with the YANG modules and with the table of CBOR keys of RFC 9132. The
// modules are not part of the repository: without `../shared` beside the checkout there is nothing to compare with.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { signalStructure } from '@breakwater/model'
import type { ContainerNode, Leaf, Member } from '@breakwater/model'
import { containerIn, declaredFacts } from './yang/declared-facts.ts'
import { readKeyTable } from './yang/key-table.ts'
import { ModuleReader } from './yang/module-facts.ts'
import { parseModule } from './yang/statement.ts'

const shared = join(dirname(fileURLToPath(import.meta.url)), '../../shared')
const yangFolder = join(shared, 'yang')
const rfcFile = join(shared, 'rfc/rfc9132.txt')

/** Rows of the table that no node of the module goes with: parameters of the Uri-Path. */
const withoutNode = new Set([
  'mitigation-scope/scope/cdid',
  'mitigation-scope/scope/cuid',
  'signal-config/sid'
])

function compareWithModules(): string[] {
  const modules = readdirSync(yangFolder)
    .filter((name) => name.endsWith('.yang'))
    .map((name) => parseModule(readFileSync(join(yangFolder, name), 'utf8')))
  const expected = new ModuleReader(modules).structure('ietf-dots-signal-channel', 'dots-signal')
  const declared = declaredFacts(signalStructure.node)
  const paths = [...new Set([...expected.keys(), ...declared.keys()])].filter(
    (path) => !withoutNode.has(path)
  )
  console.log(`model-against-yang: ${expected.size} nodes of ietf-dots-signal-channel`)
  return paths
    .filter((path) => expected.get(path) !== declared.get(path))
    .map(
      (path) =>
        `${path}: ${declared.get(path) ?? 'nothing'}; the module says ${expected.get(path) ?? 'nothing'}`
    )
}

function compareWithTable(): string[] {
  const table = readKeyTable(readFileSync(rfcFile, 'utf8'), 'Table 5: CBOR Key Values')
  console.log(`model-against-yang: ${table.size} keys of RFC 9132 Table 5`)
  const members = membersOf(signalStructure.node)
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

function main(): number {
  if (!existsSync(yangFolder) || !existsSync(rfcFile)) {
    console.log(`model-against-yang: nothing compared, ${yangFolder} or ${rfcFile} is absent`)
    return 0
  }
  const differences = [...compareWithModules(), ...compareWithTable()]
  for (const difference of differences) console.error(difference)
  console.log(`model-against-yang: ${differences.length} differences`)
  return differences.length === 0 ? 0 : 1
}

process.exit(main())
