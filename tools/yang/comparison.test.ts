import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContainerNode, Leaf, Member, Node } from '@breakwater/model'
import { describe, expect, it, test } from 'vitest'
import { differencesFromModule, differencesFromTable } from './comparison.ts'
import { ModuleReader } from './module-facts.ts'
import { parseModule } from './statement.ts'

const module = `
module one {
  import two { prefix t; }
  sx:structure thing {
    choice kind {
      case box {
        list range {
          key "low";
          leaf low { type uint8; }
          leaf state { type enumeration { enum on { value 1; } enum off { value 2; } } }
          leaf name { type t:label; mandatory true; }
          leaf rule { type leafref { path "/t:rules/t:rule/t:name"; } }
        }
      }
    }
  }
}`
const other = `
module two {
  typedef label { type t:domain-name; }
  typedef domain-name { type string { length "1..9"; } }
  grouping named { leaf name { type string { length "1..64"; } } }
  container rules { list rule { uses named; } }
}`

function member(key: number, node: Node, mandatory: boolean = false): Member {
  return { key, node, mandatory, direction: 'both' }
}

function text(type: 'domain-name' | 'leafref', maximumLength: number): Leaf {
  return { kind: 'text', type, minimumLength: 1, maximumLength }
}

const low = member(1, { kind: 'integer', type: 'uint8', minimum: 0, maximum: 255 }, true)
const state = member(2, { kind: 'enumeration', type: 'state', values: { on: 1, off: 2 } })
const name = member(3, text('domain-name', 9), true)
const rule = member(4, text('leafref', 64))
const whole = { low, state, name, rule }

function declaration(members: Readonly<Record<string, Member>>, keyLeaf: string = 'low'): ContainerNode {
  const entry: ContainerNode = { kind: 'container', members, choice: false }
  const box: ContainerNode = {
    kind: 'container',
    members: { range: member(5, { kind: 'list', entry, keyLeaf }) },
    choice: false
  }
  return { kind: 'container', members: { box: member(6, box) }, choice: true }
}

function differences(declared: ContainerNode): string[] {
  const reader = new ModuleReader([parseModule(module), parseModule(other)])
  return differencesFromModule(declared, reader.structure('one', 'thing'))
}

describe('a declaration that says something else than the module', () => {
  it('is not one that says the same', () => {
    expect(differences(declaration(whole))).toEqual([])
  })

  const enumeration = (values: Record<string, number>): Member =>
    member(2, { kind: 'enumeration', type: 'state', values })
  const broken: readonly (readonly [what: string, declared: ContainerNode, difference: string])[] = [
    ['a name', declaration({ low, state, rule, label: name }), 'box/range/label: leaf domain-name'],
    ['a node missing', declaration({ low, state, name }), 'box/range/rule: nothing; the module says leaf'],
    [
      'a type',
      declaration({ ...whole, state: member(2, { kind: 'boolean' }) }),
      'box/range/state: leaf boolean;'
    ],
    [
      'a range',
      declaration({
        ...whole,
        low: member(1, { kind: 'integer', type: 'uint8', minimum: 1, maximum: 255 }, true)
      }),
      'box/range/low: leaf integer 1..255 mandatory; the module says leaf integer 0..255 mandatory'
    ],
    [
      'a length',
      declaration({ ...whole, name: member(3, text('domain-name', 8), true) }),
      'length 1..8 mandatory;'
    ],
    [
      'a length at the end of a leafref',
      declaration({ ...whole, rule: member(4, text('leafref', 63)) }),
      'leafref length 1..63; the module says leaf leafref length 1..64'
    ],
    [
      'the value of an enumeration',
      declaration({ ...whole, state: enumeration({ on: 1, off: 3 }) }),
      'enumeration on=1 off=3; the module says leaf enumeration on=1 off=2'
    ],
    [
      'a name of an enumeration',
      declaration({ ...whole, state: enumeration({ on: 1, of: 2 }) }),
      'enumeration on=1 of=2;'
    ],
    [
      'the key of a list',
      declaration(whole, 'name'),
      'box/range: list key name; the module says list key low'
    ],
    [
      'what is mandatory',
      declaration({ ...whole, name: member(3, text('domain-name', 9)) }),
      'box/range/name: leaf domain-name length 1..9; the module'
    ],
    [
      'who sends it',
      declaration({ ...whole, rule: { ...rule, direction: 'client-to-server' } }),
      'client-to-server; the module'
    ]
  ]
  it.each(broken)('is found: %s', (_, declared, difference) => {
    const found = differences(declared)
    expect(found.join('\n')).toContain(difference)
  })

  it('is found: a CBOR key, a CBOR type, a row without declaration', () => {
    const rows = new Map([
      ['box', { key: 6, majors: [5] }],
      ['range', { key: 5, majors: [4] }],
      ['low', { key: 7, majors: [0] }],
      ['state', { key: 2, majors: [3] }],
      ['name', { key: 3, majors: [3] }],
      ['rule', { key: 4, majors: [3] }],
      ['level', { key: 8, majors: [0] }]
    ])
    expect(differencesFromTable(declaration(whole), rows)).toEqual([
      'level: is in Table 5 and not declared',
      'low: key 1, major types 0; Table 5 says key 7, major types 0',
      'state: key 2, major types 0; Table 5 says key 2, major types 3'
    ])
  })
})

test('the tool fails when the model and the modules differ, and says where', () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-yang-'))
  try {
    mkdirSync(join(folder, 'yang'))
    mkdirSync(join(folder, 'rfc'))
    const heartbeat = 'case heartbeat { leaf peer-hb-status { type uint8; mandatory true; } }'
    writeFileSync(
      join(folder, 'yang/a.yang'),
      `module ietf-dots-signal-channel { sx:structure dots-signal { choice type { ${heartbeat} } } }`
    )
    writeFileSync(join(folder, 'rfc/rfc9132.txt'), '')
    const done = runTool(folder)
    expect(done.stderr).toContain(
      'heartbeat/peer-hb-status: leaf boolean mandatory; the module says leaf integer 0..255 mandatory'
    )
    expect(done.status).toBe(1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('without modules the tool compares nothing and says so', () => {
  const done = runTool('/nowhere')
  expect(done.stdout).toContain('nothing compared, /nowhere/yang')
  expect(done.status).toBe(0)
})

function runTool(folder: string): { status: number | null; stdout: string; stderr: string } {
  const tool = join(import.meta.dirname, '../model-against-yang.ts')
  return spawnSync(process.execPath, [tool, folder], { encoding: 'utf8' })
}
