import { expect, test } from 'vitest'
import { ModuleReader } from './module-facts.ts'
import { readKeyTable } from './key-table.ts'
import { parseModule } from './statement.ts'

const text = `
module one { // a comment with { and "
  import two { prefix t; }
  grouping range {
    leaf low { type uint8 { range "1..7"; } mandatory true; }
    leaf high { type t:small; must '. >= ../low'; }
  }
  sx:structure thing {
    choice kind {
      case box {
        /* leaf hidden { type string; } */
        list range { key "low"; uses range; }
        choice direction { case server-to-client-only { leaf level { type union { type uint8; type int32 { range "-1"; } } } } }
        leaf-list name { type string; description "joined " + "text with ; and }"; }
      }
    }
  }
}`
const other = 'module two { typedef small { type enumeration { enum a { value 1; } enum b { value 4; } } } }'

test('facts are read through groupings, choices, cases and typedefs of other modules', () => {
  const facts = new ModuleReader([parseModule(text), parseModule(other)]).structure('one', 'thing')
  expect(Object.fromEntries(facts)).toEqual({
    box: 'container',
    'box/range': 'list key low',
    'box/range/low': 'leaf integer 1..7 mandatory',
    'box/range/high': 'leaf enumeration a=1 b=4',
    'box/level': 'leaf integer -1..255 server-to-client',
    'box/name': 'leaf-list string'
  })
})

test('quoted strings are joined, comments left out', () => {
  const module = parseModule('module m { description "a;" + \'b}\'; // c\n }')
  expect(module.inside).toEqual([{ keyword: 'description', argument: 'a;b}', inside: [] }])
})

test('a module that does not end is refused', () => {
  expect(() => parseModule('module m { leaf a { type string; }')).toThrow('has no end')
})

test('rows of a table of keys span lines', () => {
  const table = readKeyTable(
    `
   +=====================+==============+======+=============+========+
   | Parameter Name      | YANG Type    | CBOR | CBOR Major  | JSON   |
   +=====================+==============+======+=============+========+
   | ietf-dots-signal-   | container    | 1    | 5 map       | Object |
   | channel:heart-      |              |      |             |        |
   | beat                |              |      |             |        |
   +---------------------+--------------+------+-------------+--------+
   | target-prefix       | leaf-list    | 6    | 4 array     | Array  |
   |                     +--------------+------+-------------+--------+
   |                     | inet:ip-     |      | 3 text      | String |
   |                     | prefix       |      | string      |        |
   +---------------------+--------------+------+-------------+--------+
     Table 9`,
    'Table 9'
  )
  expect(Object.fromEntries(table)).toEqual({
    'heart-beat': { key: 1, majors: [5] },
    'target-prefix': { key: 6, majors: [4, 3] }
  })
})
