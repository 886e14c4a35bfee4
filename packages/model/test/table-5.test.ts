import { expect, test } from 'vitest'
import { decodeSignal, encodeSignal, signalStructure } from '../src/index.ts'
import { hex } from './fault.ts'
import type { ContainerNode, Member, Node } from '../src/index.ts'

/** RFC 9132 §6, Table 5: name, key, CBOR major types of the value; for a leaf-list, those of its entries. */
const table: readonly (readonly [name: string, key: number, majors: readonly number[]])[] = [
  ['mitigation-scope', 1, [5]],
  ['scope', 2, [4]],
  ['cdid', 3, [3]],
  ['cuid', 4, [3]],
  ['mid', 5, [0]],
  ['target-prefix', 6, [3]],
  ['target-port-range', 7, [4]],
  ['lower-port', 8, [0]],
  ['upper-port', 9, [0]],
  ['target-protocol', 10, [0]],
  ['target-fqdn', 11, [3]],
  ['target-uri', 12, [3]],
  ['alias-name', 13, [3]],
  ['lifetime', 14, [0, 1]],
  ['mitigation-start', 15, [0]],
  ['status', 16, [0]],
  ['conflict-information', 17, [5]],
  ['conflict-status', 18, [0]],
  ['conflict-cause', 19, [0]],
  ['retry-timer', 20, [0]],
  ['conflict-scope', 21, [5]],
  ['acl-list', 22, [4]],
  ['acl-name', 23, [3]],
  ['acl-type', 24, [3]],
  ['bytes-dropped', 25, [0]],
  ['bps-dropped', 26, [0]],
  ['pkts-dropped', 27, [0]],
  ['pps-dropped', 28, [0]],
  ['attack-status', 29, [0]],
  ['signal-config', 30, [5]],
  ['sid', 31, [0]],
  ['mitigating-config', 32, [5]],
  ['heartbeat-interval', 33, [5]],
  ['max-value', 34, [0]],
  ['min-value', 35, [0]],
  ['current-value', 36, [0]],
  ['missing-hb-allowed', 37, [5]],
  ['max-retransmit', 38, [5]],
  ['ack-timeout', 39, [5]],
  ['ack-random-factor', 40, [5]],
  ['max-value-decimal', 41, [6]],
  ['min-value-decimal', 42, [6]],
  ['current-value-decimal', 43, [6]],
  ['idle-config', 44, [5]],
  ['trigger-mitigation', 45, [7]],
  ['redirected-signal', 46, [5]],
  ['alt-server', 47, [3]],
  ['alt-server-record', 48, [3]],
  ['heartbeat', 49, [5]],
  ['probing-rate', 50, [5]],
  ['peer-hb-status', 51, [7]]
]

interface Declared {
  readonly name: string
  readonly member: Member
  /** CBOR up to the value, exclusive: maps of one pair, arrays of one entry. */
  readonly before: readonly number[]
}

/** Every member of every container, with the bytes that lead to it. */
function declared(container: ContainerNode, before: readonly number[]): Declared[] {
  return Object.entries(container.members).flatMap(([name, member]) => {
    const head = member.key < 24 ? [member.key] : [24, member.key]
    const path = [...before, 0xa1, ...head]
    const { node } = member
    const inside =
      node.kind === 'container'
        ? declared(node, path)
        : node.kind === 'list'
          ? declared(node.entry, [...path, 0x81])
          : []
    return [{ name, member, before: path }, ...inside]
  })
}

const all = declared(signalStructure.node, [])

/** A valid text of each type, in hexadecimal. */
const texts: Readonly<Record<string, string>> = {
  'ip-prefix': '64 3a3a2f30',
  'ip-address': '62 3a3a',
  'domain-name': '61 61',
  uri: '63 613a62'
}

/** One item of the major type, a valid value of `node` if it can be. */
function item(node: Node, major: number): Uint8Array {
  const text = (node.kind === 'text' ? texts[node.type] : undefined) ?? '61 61'
  return hex(['01', '20', '41 00', text, '81 01', 'a0', 'c4 82 21 01', 'f5'][major] ?? '')
}

function problemOf(bytes: readonly number[]): string {
  try {
    decodeSignal(Uint8Array.from(bytes))
    return ''
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('every parameter has the key of Table 5, and there is no other', () => {
  const keys = new Map(all.map(({ name, member }) => [name, member.key]))
  expect(keys).toEqual(new Map(table.map(([name, key]) => [name, key])))
  for (const { name, member } of all) expect(keys.get(name), name).toBe(member.key)
})

test('every parameter is of the CBOR type of Table 5, and of no other [RFC9132-6-M01]', () => {
  for (const { name, member, before } of all) {
    const majors = table.find(([known]) => known === name)?.[2] ?? []
    const isList = member.node.kind === 'leaf-list'
    const leaf = member.node.kind === 'leaf-list' ? member.node.of : member.node
    for (let major = 0; major < 8; major++) {
      const bytes = [...before, ...(isList ? [0x81] : []), ...item(leaf, major)]
      const problem = problemOf(bytes)
      const mismatch = problem === 'MODEL_TYPE_MISMATCH'
      // An integer of the wrong sign is out of range; a list or map of the right type may still miss something inside.
      const refused = mismatch || (major === 1 && problem === 'MODEL_OUT_OF_RANGE')
      const insideIsWrong = major === 4 && member.node.kind === 'list' && mismatch
      expect(refused && !insideIsWrong, `${name}, major type ${major}: ${problem}`).toBe(
        !majors.includes(major)
      )
    }
    if (isList)
      expect(problemOf([...before, ...item(leaf, majors[0] ?? 0)]), name).toBe('MODEL_TYPE_MISMATCH')
  }
})

test('a heartbeat is written under its keys [RFC9132-6-M01]', () => {
  expect([...encodeSignal({ heartbeat: { peerHbStatus: true } })]).toEqual([0xa1, 24, 49, 0xa1, 24, 51, 0xf5])
})
