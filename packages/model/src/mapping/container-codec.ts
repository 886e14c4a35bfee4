import { InternalError } from '@breakwater/core'
import { UNSIGNED } from '../cbor/major.ts'
import type { CborReader } from '../cbor/reader.ts'
import { UNTIL_BREAK } from '../cbor/reader.ts'
import type { CborWriter } from '../cbor/writer.ts'
import type { ContainerNode, Member } from '../yang/node.ts'
import type { Codec } from './codec.ts'
import { FIRST_KEY, LAST_KEY, isComprehensionRequired } from './comprehension.ts'
import { ContainerRule } from './container-rule.ts'
import type { RuledMember } from './container-rule.ts'

interface MappedMember extends RuledMember {
  readonly key: number
  readonly codec: Codec
}

type Fields = Record<string, unknown>

/** Containers and list entries: maps from integer keys (RFC 9132 §6). */
export class ContainerCodec implements Codec<Fields> {
  readonly #rule: ContainerRule
  /** In order of keys, which is the order of their encodings (RFC 8949 §4.2.1). */
  readonly #members: readonly MappedMember[]
  readonly #byKey: readonly (MappedMember | undefined)[]

  constructor(node: ContainerNode, codecOf: (member: Member) => Codec) {
    this.#rule = new ContainerRule(node)
    this.#members = this.#rule.members.map((ruled) => ({
      ...ruled,
      key: ruled.member.key,
      codec: codecOf(ruled.member)
    }))
    this.#byKey = byKey(this.#members)
  }

  read(reader: CborReader): Fields {
    const value: Fields = {}
    const count = reader.enterMap()
    let ignored: Set<number> | undefined
    let seen = 0
    reader.trail.enter()
    for (let i = 0; count === UNTIL_BREAK ? !reader.takeBreak() : i < count; i++) {
      const key = readKey(reader)
      const member = this.#byKey[key]
      if (member === undefined) {
        ignored = ignoreMember(reader, key, ignored)
        continue
      }
      reader.trail.at(member.name)
      if ((seen & member.bit) !== 0) reader.fail('MODEL_DUPLICATE_KEY', `the key ${key} occurs twice`)
      seen |= member.bit
      value[member.field] = member.codec.read(reader)
      reader.trail.at('')
    }
    reader.trail.leave()
    reader.leave()
    this.#rule.check(value, seen, (code, name, problem) => {
      if (name !== '') reader.trail.enter(name)
      return reader.fail(code, problem)
    })
    return value
  }

  write(writer: CborWriter, value: Fields): void {
    let seen = 0
    let count = 0
    for (const member of this.#members) {
      if (value[member.field] === undefined) continue
      seen |= member.bit
      count++
    }
    this.#rule.check(value, seen, (_code, name, problem) => {
      if (name !== '') writer.trail.enter(name)
      return writer.fail(problem)
    })
    writer.startMap(count)
    writer.trail.enter()
    for (const member of this.#members) {
      const field = value[member.field]
      if (field === undefined) continue
      writer.trail.at(member.name)
      writer.writeInteger(member.key)
      member.codec.write(writer, field)
    }
    writer.trail.leave()
  }
}

function byKey(members: readonly MappedMember[]): readonly (MappedMember | undefined)[] {
  const greatest = members.at(-1)?.key ?? 0
  const table = Array.from({ length: greatest + 1 }, (): MappedMember | undefined => undefined)
  for (const member of members) {
    if (member.key < FIRST_KEY || member.key > LAST_KEY || table[member.key] !== undefined)
      throw new InternalError('MODEL_DECLARATION_INVALID', `${member.name} cannot have the key ${member.key}`)
    table[member.key] = member
  }
  return table
}

function readKey(reader: CborReader): number {
  if (reader.peekMajor() !== UNSIGNED) reader.fail('MODEL_KEY_INVALID', 'a key is not an unsigned integer')
  const key = reader.readInteger()
  if (key < FIRST_KEY || key > LAST_KEY)
    reader.fail('MODEL_KEY_INVALID', `the key ${key} is not between ${FIRST_KEY} and ${LAST_KEY}`)
  return key
}

function ignoreMember(reader: CborReader, key: number, ignored: Set<number> | undefined): Set<number> {
  const known = ignored ?? new Set<number>()
  // RFC 9132 §6: the diagnostic payload describes the unknown comprehension-required key.
  if (isComprehensionRequired(key))
    reader.fail('MODEL_UNKNOWN_REQUIRED_KEY', `the comprehension-required key ${key} is not known here`)
  if (known.has(key)) reader.fail('MODEL_DUPLICATE_KEY', `the key ${key} occurs twice`)
  reader.skipItem()
  return known.add(key)
}
