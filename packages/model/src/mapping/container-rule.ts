import { InternalError } from '@breakwater/core'
import type { ContainerNode, Member } from '../yang/node.ts'
import { fieldName } from '../yang/value.ts'

/** One member of a container, ready for a codec. */
export interface RuledMember {
  /** YANG name. */
  readonly name: string
  /** Its property in TypeScript. */
  readonly field: string
  /** Its place in a set of members. */
  readonly bit: number
  readonly member: Member
}

/** Gets code, YANG name of the member to blame (empty: the container itself) and problem. */
export type RuleFailure = (code: string, name: string, problem: string) => never

/** Members that one bit set of a JavaScript integer can tell apart. */
const MAXIMUM_MEMBERS = 31

/** What holds for the members of a container together, whatever the encoding. Sets of members are bit sets. */
export class ContainerRule {
  /** In order of CBOR keys. */
  readonly members: readonly RuledMember[]
  readonly #node: ContainerNode
  readonly #mandatory: number
  readonly #fromServer: number
  readonly #fromClient: number

  constructor(node: ContainerNode) {
    const sorted = Object.entries(node.members).toSorted(([, a], [, b]) => a.key - b.key)
    if (sorted.length > MAXIMUM_MEMBERS)
      throw new InternalError('MODEL_DECLARATION_INVALID', `more than ${MAXIMUM_MEMBERS} members`)
    this.#node = node
    this.members = sorted.map(([name, member], bit) => ({
      name,
      field: fieldName(name),
      bit: 1 << bit,
      member
    }))
    this.#mandatory = this.#bitsWhere((member) => member.mandatory)
    this.#fromServer = this.#bitsWhere((member) => member.direction === 'server-to-client')
    this.#fromClient = this.#bitsWhere((member) => member.direction === 'client-to-server')
  }

  /** Calls `fail` when `value`, of whose members those of the set `seen` are there, breaks a rule. */
  check(value: Readonly<Record<string, unknown>>, seen: number, fail: RuleFailure): void {
    const missing = this.#mandatory & ~seen
    if (missing !== 0) fail('MODEL_MISSING_NODE', this.#nameOf(missing), 'is missing')
    // More than one bit set.
    if (this.#node.choice && (seen & (seen - 1)) !== 0)
      fail('MODEL_CONSTRAINT_VIOLATED', '', 'one message has the containers of two')
    if ((seen & this.#fromServer) !== 0 && (seen & this.#fromClient) !== 0)
      fail(
        'MODEL_CONSTRAINT_VIOLATED',
        this.#nameOf(seen & this.#fromClient),
        `stands beside ${this.#nameOf(seen & this.#fromServer)}, which only a server sends`
      )
    const broken = this.#node.must?.(value)
    if (broken !== undefined) fail('MODEL_CONSTRAINT_VIOLATED', broken.member, broken.problem)
  }

  #bitsWhere(holds: (member: Member) => boolean): number {
    return this.members.reduce((bits, { member, bit }) => (holds(member) ? bits | bit : bits), 0)
  }

  /** The first of the members in `bits`. */
  #nameOf(bits: number): string {
    return this.members.find((member) => (member.bit & bits) !== 0)?.name ?? ''
  }
}
