import { ProtectionId } from '../domain/identifier.ts'
import type { ServerName } from '../domain/identifier.ts'
import type { PreconfiguredScope } from '../domain/site.ts'
import type { Placement } from '../multihoming/placement.ts'
import { cutAtNet } from '../multihoming/safety-net.ts'
import { Protection, partKey } from './protection.ts'
import type { ProtectionRequest } from './protection.ts'
import type { LastingWant } from './requests/lasting-want.ts'

/** What a new placement of all protections comes to. */
export interface Replacement {
  /** Those that are asked of others now, or for something else. */
  readonly moved: readonly Protection[]
  /** Servers that are asked for more. */
  readonly gaining: ReadonlySet<ServerName>
  /** Servers that are asked for less. */
  readonly losing: ReadonlySet<ServerName>
}

/** The protections of a client by their names, in the order in which servers are asked for them. */
export class Protections {
  readonly #all = new Map<ProtectionId, Protection>()

  get all(): Iterable<Protection> {
    return this.#all.values()
  }

  get(id: ProtectionId): Protection | undefined {
    return this.#all.get(id)
  }

  add(request: ProtectionRequest, placement: Placement, wasPlaced = false): Protection {
    const protection = new Protection(request, placement, wasPlaced)
    this.#all.set(request.id, protection)
    return protection
  }

  remove(id: ProtectionId): void {
    this.#all.delete(id)
  }

  /** What live protections want of a server: all of it, so that the compiler sees every overlap. */
  wantsOf(server: ServerName, net: readonly PreconfiguredScope[]): LastingWant[] {
    const scopes = net.map(({ target }) => target)
    const wants: LastingWant[] = []
    for (const { request, phase, assignments } of this.#all.values())
      for (const assignment of phase === 'live' ? assignments : [])
        if (assignment.server === server)
          for (const target of cutAtNet(assignment.target, scopes))
            wants.push({ protection: request.id, target, lifetime: request.lifetime, trigger: 'immediate' })
    return [...wants, ...net.map(standingWant)]
  }

  /** Those of an attack that is on are asked for before the others from now on. */
  putFirst(isAttacked: (protection: Protection) => boolean): void {
    const before = [...this.#all.values()]
    const first = before.filter(isAttacked)
    if (first.length === 0 || first.length === before.length) return
    const others = before.filter((protection) => !isAttacked(protection))
    this.#all.clear()
    for (const protection of [...first, ...others]) this.#all.set(protection.request.id, protection)
  }

  /**
   * Places those that are live again.
   * @param only Undefined: all of them.
   * @param isHandOver Nothing has changed but who is asked of those that stand in for one another.
   */
  placeAgain(
    place: (protection: Protection) => Placement,
    only?: ReadonlySet<ProtectionId>,
    isHandOver = false
  ): Replacement {
    const moved: Protection[] = []
    const gaining = new Set<ServerName>()
    const losing = new Set<ServerName>()
    for (const protection of this.#all.values()) {
      if (protection.phase !== 'live' || only?.has(protection.request.id) === false) continue
      const before = protection.placement
      const now = place(protection)
      if (isHandOver) protection.handOver(now)
      else protection.placeAgain(now)
      const [former, wanted] = [askedOf(before), askedOf(now)]
      const gained = wanted.filter(([key]) => !former.some(([other]) => other === key))
      const lost = former.filter(([key]) => !wanted.some(([other]) => other === key))
      for (const [, servers] of gained) for (const server of servers) gaining.add(server)
      for (const [, servers] of lost) for (const server of servers) losing.add(server)
      if (gained.length + lost.length > 0 || isOtherwiseMissing(before, now)) moved.push(protection)
    }
    return { moved, gaining, losing }
  }
}

function askedOf({ parts }: Placement): (readonly [string, readonly ServerName[]])[] {
  return parts.map((part) => [partKey(part), part.servers] as const)
}

/** What nobody is asked for is another part of it, or for another reason. */
function isOtherwiseMissing(before: Placement, now: Placement): boolean {
  return missing(before) !== missing(now)
}

function missing({ refusals, waiting, uncovered }: Placement): string {
  return [...refusals, ...waiting, ...uncovered].map(({ text }) => text).join('\n')
}

/** A standing request serves nobody that could release it. */
function standingWant({ target, lifetime }: PreconfiguredScope, index: number): LastingWant {
  return { protection: ProtectionId(`preconfigured ${index + 1}`), target, lifetime, trigger: 'signal-loss' }
}
