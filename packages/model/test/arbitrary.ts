import * as fc from 'fast-check'
import type { ContainerNode, Direction, Leaf, Member, Node, TextLeaf } from '../src/yang/node.ts'
import { isYangString } from '../src/yang/text-rule.ts'
import { fieldName } from '../src/yang/value.ts'
import { signalStructure } from '../src/signal.ts'
import type { SignalMessage } from '../src/signal-message.ts'

/** Random values of declared nodes, read off the declarations themselves. */

/** Any valid signal message. */
export function signalMessages(): fc.Arbitrary<SignalMessage> {
  return valuesOfNode(signalStructure.node) as fc.Arbitrary<SignalMessage>
}

export function valuesOfNode(node: Node): fc.Arbitrary<unknown> {
  switch (node.kind) {
    case 'container':
      return fc.constantFrom(...sendersOf(node)).chain((direction) => containerValues(node, direction))
    case 'list': {
      const options = { minLength: 1, maxLength: 4 }
      const { keyLeaf } = node
      if (keyLeaf === undefined) return fc.array(valuesOfNode(node.entry), options)
      const keyOf = (entry: unknown): unknown => (entry as Record<string, unknown>)[fieldName(keyLeaf)]
      return fc.uniqueArray(valuesOfNode(node.entry), { ...options, selector: keyOf })
    }
    case 'leaf-list':
      return fc.array(leafValues(node.of), { minLength: 1, maxLength: 4 })
    case 'integer':
    case 'uint64':
    case 'boolean':
    case 'enumeration':
    case 'decimal64':
    case 'text':
      break
  }
  return leafValues(node)
}

/** Who can send the container at all: not a client, when a mandatory member is the server's. */
function sendersOf(node: ContainerNode): Direction[] {
  const bound = Object.values(node.members).find((member) => member.mandatory && member.direction !== 'both')
  return bound === undefined ? ['server-to-client', 'client-to-server'] : [bound.direction]
}

function containerValues(node: ContainerNode, direction: Direction): fc.Arbitrary<unknown> {
  const members = Object.entries(node.members).filter(
    ([, member]) => member.direction === 'both' || member.direction === direction
  )
  if (node.choice) return fc.oneof(...members.map((member) => fc.record(recordOf([member]))))
  const requiredKeys = members.filter(([, member]) => member.mandatory).map(([name]) => fieldName(name))
  return fc.record(recordOf(members), { requiredKeys }).filter((value) => node.must?.(value) === undefined)
}

function recordOf(members: readonly (readonly [string, Member])[]): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(members.map(([name, member]) => [fieldName(name), valuesOfNode(member.node)]))
}

function leafValues(leaf: Leaf): fc.Arbitrary<unknown> {
  switch (leaf.kind) {
    case 'integer':
      return fc.oneof(
        fc.integer({ min: leaf.minimum, max: leaf.maximum }),
        fc.constantFrom(leaf.minimum, leaf.maximum)
      )
    case 'uint64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
    case 'boolean':
      return fc.boolean()
    case 'enumeration':
      return fc.constantFrom(...Object.values(leaf.values), leaf.unassignedUpTo ?? 1)
    case 'decimal64':
      return fc.integer({ min: -(10 ** 15), max: 10 ** 15 }).map((mantissa) => mantissa / 100)
    case 'text':
      break
  }
  return texts(leaf.type)
}

function texts(type: TextLeaf['type']): fc.Arbitrary<string> {
  switch (type) {
    case 'ip-address':
      return fc.oneof(fc.ipV4(), fc.ipV6())
    case 'ip-prefix':
      return fc.oneof(
        fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, length]) => `${address}/${length}`),
        fc.tuple(fc.ipV6(), fc.nat(128)).map(([address, length]) => `${address}/${length}`)
      )
    case 'domain-name':
      return fc.domain()
    case 'uri':
      return fc.webUrl()
    case 'string':
    case 'leafref':
      break
  }
  return fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter(isYangString)
}
