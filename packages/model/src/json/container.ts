import { ContainerRule } from '../mapping/container-rule.ts'
import type { RuledMember } from '../mapping/container-rule.ts'
import type { ContainerNode, Member } from '../yang/node.ts'
import type { JsonCodec } from './json-codec.ts'
import { kindOf } from './json-value.ts'
import type { JsonObject, JsonValue } from './json-value.ts'
import { stepOf } from './place.ts'
import type { Place } from './place.ts'

interface NamedMember extends RuledMember {
  /** As it stands in JSON. */
  readonly jsonName: string
  readonly codec: JsonCodec
}

type Fields = Record<string, unknown>

/** Containers and list entries (RFC 7951 §5.2): objects of which every member is known. */
export class ContainerJson implements JsonCodec<Fields> {
  readonly #rule: ContainerRule
  readonly #members: readonly NamedMember[]
  readonly #byName: ReadonlyMap<string, NamedMember>

  /** @param namespace Module to qualify the names of the members with (RFC 7951 §4); empty: none. */
  constructor(node: ContainerNode, namespace: string, codecOf: (member: Member) => JsonCodec) {
    this.#rule = new ContainerRule(node)
    this.#members = this.#rule.members.map((ruled) => ({
      ...ruled,
      jsonName: namespace === '' ? ruled.name : `${namespace}:${ruled.name}`,
      codec: codecOf(ruled.member)
    }))
    this.#byName = new Map(this.#members.map((member) => [member.jsonName, member]))
  }

  read(json: unknown, place: Place): Fields {
    if (!isObject(json)) place.fail('MODEL_TYPE_MISMATCH', `${kindOf(json)} where an object is due`)
    const value: Fields = {}
    let seen = 0
    place.trail.enter()
    // Own members only: what stands on a prototype was in no JSON.
    for (const [name, inside] of Object.entries(json)) {
      place.trail.at(stepOf(name))
      const member =
        this.#byName.get(name) ?? place.fail('MODEL_UNKNOWN_MEMBER', 'is not a member that is known here')
      seen |= member.bit
      value[member.field] = member.codec.read(inside, place)
    }
    place.trail.leave()
    this.#check(value, seen, place)
    return value
  }

  write(value: Fields, place: Place): JsonObject {
    const present = this.#members.filter((member) => value[member.field] !== undefined)
    const seen = present.reduce((bits, member) => bits | member.bit, 0)
    this.#check(value, seen, place)
    const json: Record<string, JsonValue> = {}
    place.trail.enter()
    for (const member of present) {
      place.trail.at(member.jsonName)
      json[member.jsonName] = member.codec.write(value[member.field], place)
    }
    place.trail.leave()
    return json
  }

  #check(value: Fields, seen: number, place: Place): void {
    this.#rule.check(value, seen, (code, name, problem) => {
      if (name !== '') place.trail.enter(name)
      return place.fail(code, problem)
    })
  }
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
