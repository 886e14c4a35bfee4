import type { Instant } from '@breakwater/core'
import { ProtectionId } from '@breakwater/dots'
import type { ProtectionRequest } from '@breakwater/dots'
import { prefix } from '../addressing.ts'
import type { Expectation } from '../oracle/facts.ts'
import type { Oracle } from '../oracle/oracle.ts'
import type { Action } from '../scenario.ts'
import type { TargetNames } from './target-names.ts'

/** What the operator of a site wants, which survives its client as the agent's archive does, and what must come of it. */
export class Wishes {
  /** What is wanted now, by its name. */
  readonly wanted = new Map<string, ProtectionRequest>()
  /** Since when, by its name. */
  readonly wantedSince = new Map<string, Instant>()
  readonly #oracle: Oracle
  /** Requests that this life of the client asked somebody for. */
  #placed = new WeakSet<ProtectionRequest>()
  /** Requests of which a change of the network came before it was certain what their names were taken for. */
  readonly #unsure = new WeakSet<ProtectionRequest>()
  /**
   * Those for which an earlier life did, or would have, or for another one of the same name: what the disk kept of that
   * decides, and a client knows them by their names. No agent gives a name to another request.
   */
  readonly #placedBefore = new WeakSet<ProtectionRequest>()
  /** Names of those that any life may have asked somebody for. */
  readonly #everPlaced = new Set<string>()
  /** The same requests, where a part is enough. */
  readonly #lenient = new WeakMap<ProtectionRequest, ProtectionRequest>()

  readonly #names: TargetNames | undefined

  /** @param names Of targets; undefined: there are none. */
  constructor(oracle: Oracle, names: TargetNames | undefined) {
    this.#oracle = oracle
    this.#names = names
  }

  want(name: string, request: ProtectionRequest, at: Instant): void {
    this.wanted.set(name, request)
    this.wantedSince.set(name, at)
  }

  /** What must come of a request; undefined: that is not certain. */
  expect(request: ProtectionRequest, at: Instant): Expectation | undefined {
    const [found, ...others] = this.mayCome(request, at)
    return others.length === 0 ? found : undefined
  }

  /**
   * All that may come of a request: what was taken up once is not refused when a piece of it is nobody's any more, and whether
   * an earlier life took it up only the disk knows. Nothing: the client may know its names or not yet.
   */
  mayCome(request: ProtectionRequest, at: Instant): readonly Expectation[] {
    const resolved = this.#resolve(request, at)
    if (resolved === undefined) return []
    const found = this.#oracle.expect(resolved, at)
    if (!found.isRefused) return [found]
    const kept = this.#oracle.expect(this.#leniently(resolved), at)
    if (this.#placed.has(request)) return [kept]
    if (this.#placedBefore.has(request)) return [found, kept]
    // It was taken up before its names were known, or it was not.
    const isOfNames = resolved !== request && !this.#oracle.expect(request, at).isRefused
    return isOfNames || this.#unsure.has(request) ? [] : [found]
  }

  #resolve(request: ProtectionRequest, at: Instant): ProtectionRequest | undefined {
    const since = this.wantedSince.get(request.id)
    if (request.named === undefined) return request
    return since === undefined ? undefined : this.#names?.resolve(request, since, at)
  }

  #leniently(request: ProtectionRequest): ProtectionRequest {
    const lenient = this.#lenient.get(request) ?? { ...request, allowPartial: true }
    this.#lenient.set(request, lenient)
    return lenient
  }

  /** Another life of the client begins, which has asked nobody for anything yet. */
  forgetPlaced(): void {
    this.#placed = new WeakSet()
    for (const request of this.wanted.values())
      if (this.#everPlaced.has(request.id)) this.#placedBefore.add(request)
  }

  /** The client is about to hear that its network is another one. */
  beforeChange(at: Instant): void {
    this.notePlaced(at)
    for (const request of this.wanted.values()) {
      const mayBePlaced = !this.#placed.has(request) && !this.#oracle.expect(request, at).isRefused
      if (request.named !== undefined && mayBePlaced) this.#unsure.add(request)
    }
  }

  /** The client has heard of all that is wanted, and of how its network is now. */
  notePlaced(at: Instant): void {
    for (const request of this.wanted.values()) {
      const resolved = this.#resolve(request, at)
      const isPlaced = resolved !== undefined && this.#oracle.expect(resolved, at).asked.length > 0
      if (isPlaced) this.#placed.add(request)
      if (isPlaced || resolved === undefined) this.#everPlaced.add(request.id)
    }
  }
}

/** What an operator asks the client for. */
export function requestOf(action: Action & { readonly kind: 'protect' }): ProtectionRequest {
  return {
    id: ProtectionId(action.protection),
    target: {
      prefixes: action.prefixes.map(prefix),
      ports: action.ports.map(([lower, upper]) => ({ lower, upper })),
      protocols: action.protocols
    },
    ...(action.names === undefined ? {} : { named: { names: action.names, uris: [], aliases: [] } }),
    lifetime: action.lifetimeSeconds,
    allowPartial: action.allowPartial,
    require: 'all'
  }
}
