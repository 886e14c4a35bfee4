import { CborReader } from '../cbor/reader.ts'
import { TAG } from '../cbor/major.ts'
import { CborWriter } from '../cbor/writer.ts'
import type { ContainerOf } from '../yang/value.ts'
import type { Node } from '../yang/node.ts'
import type { Codec } from './codec.ts'
import { ContainerCodec } from './container-codec.ts'
import { leafCodec } from './leaf-codec.ts'
import { ListCodec } from './list-codec.ts'

/** "DOTS signal channel object" (RFC 9132 §10.5). */
const DOTS_TAG = 271

/** Bytes ↔ messages of one declared structure. */
export interface StructureCodec<Message> {
  /** @throws ModelDecodeError */
  decode(bytes: Uint8Array): Message
  /** Deterministic (RFC 8949 §4.2.1). @throws InternalError `MODEL_ENCODE_INVALID` */
  encode(message: Message): Uint8Array
}

/** Reads the codec off a declaration, once. */
export function structureCodec<Message>(declaration: ContainerOf<Message>): StructureCodec<Message> {
  const root = codecOf(declaration.node)
  // Shared by all calls: none of them can interrupt another.
  const reader = new CborReader()
  const writer = new CborWriter()
  return {
    decode(bytes) {
      reader.start(bytes)
      // RFC 9132 §10.5: the tag is optional and prefixes the object; anywhere else it is a fault.
      if (reader.peekMajor() === TAG && reader.readTag() !== DOTS_TAG)
        reader.fail('MODEL_TYPE_MISMATCH', `a tag other than ${DOTS_TAG} before the message`)
      const message = root.read(reader) as Message
      reader.finish()
      return message
    },
    encode(message) {
      writer.reset()
      root.write(writer, message)
      return writer.finish()
    }
  }
}

function codecOf(node: Node): Codec {
  switch (node.kind) {
    case 'container':
      return new ContainerCodec(node, (member) => codecOf(member.node))
    case 'list':
      return new ListCodec(codecOf(node.entry), node.keyLeaf)
    case 'leaf-list':
      return new ListCodec(leafCodec(node.of))
    case 'integer':
    case 'uint64':
    case 'boolean':
    case 'enumeration':
    case 'decimal64':
    case 'text':
      break
  }
  return leafCodec(node)
}
