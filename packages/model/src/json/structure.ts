import type { Node } from '../yang/node.ts'
import type { ContainerOf } from '../yang/value.ts'
import { ContainerJson } from './container.ts'
import type { JsonCodec } from './json-codec.ts'
import type { JsonObject } from './json-value.ts'
import { leafJson } from './leaf.ts'
import { listJson } from './list.ts'
import { parseJson } from './parse.ts'
import { readingPlace, writingPlace } from './place.ts'

/** JSON ↔ messages of one declared structure. */
export interface StructureJson<Message> {
  /** A string is taken for a JSON text, anything else for one that was parsed. @throws ModelDecodeError */
  decode(json: unknown): Message
  /** @throws InternalError `MODEL_ENCODE_INVALID` */
  encode(message: Message): JsonObject
}

/** Reads the codec off a declaration, once. `module` is the YANG module of its outermost members. */
export function structureJson<Message>(
  declaration: ContainerOf<Message>,
  module: string
): StructureJson<Message> {
  const root = new ContainerJson(declaration.node, module, (member) => codecOf(member.node))
  return {
    decode(json) {
      const parsed = typeof json === 'string' ? parseJson(json, readingPlace()) : json
      return root.read(parsed, readingPlace()) as Message
    },
    encode: (message) => root.write(message as Record<string, unknown>, writingPlace())
  }
}

function codecOf(node: Node): JsonCodec {
  switch (node.kind) {
    case 'container':
      return new ContainerJson(node, '', (member) => codecOf(member.node))
    case 'list':
      return listJson(codecOf(node.entry), node.keyLeaf)
    case 'leaf-list':
      return listJson(leafJson(node.of))
    case 'integer':
    case 'uint64':
    case 'boolean':
    case 'enumeration':
    case 'decimal64':
    case 'text':
      break
  }
  return leafJson(node)
}
