// Compares the declarations of `@breakwater/model` with the YANG modules and with the table of CBOR keys of RFC 9132. The
// modules are not part of the repository: without `../shared` beside the checkout, or the folder that is given as argument,
// there is nothing to compare with.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { signalStructure } from '@breakwater/model'
import { differencesFromModule, differencesFromTable } from './yang/comparison.ts'
import { readKeyTable } from './yang/key-table.ts'
import { ModuleReader } from './yang/module-facts.ts'
import { parseModule } from './yang/statement.ts'

const shared = process.argv[2] ?? join(import.meta.dirname, '../../shared')
const yangFolder = join(shared, 'yang')
const rfcFile = join(shared, 'rfc/rfc9132.txt')

function compareWithModules(): string[] {
  const modules = readdirSync(yangFolder)
    .filter((name) => name.endsWith('.yang'))
    .map((name) => parseModule(readFileSync(join(yangFolder, name), 'utf8')))
  const expected = new ModuleReader(modules).structure('ietf-dots-signal-channel', 'dots-signal')
  console.log(`model-against-yang: ${expected.size} nodes of ietf-dots-signal-channel`)
  return differencesFromModule(signalStructure.node, expected)
}

function compareWithTable(): string[] {
  const table = readKeyTable(readFileSync(rfcFile, 'utf8'), 'Table 5: CBOR Key Values')
  console.log(`model-against-yang: ${table.size} keys of RFC 9132 Table 5`)
  return differencesFromTable(signalStructure.node, table)
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
