import type { Instant } from '@breakwater/core'
import { ProtectionId } from '@breakwater/dots'
import type { ProtectionRequest } from '@breakwater/dots'
import { prefix } from '../addressing.ts'
import type { Expectation } from '../oracle/facts.ts'
import type { Oracle } from '../oracle/oracle.ts'
import type { Action } from '../scenario.ts'

/** What the operator of a site wants, which survives its client as the agent's archive does, and what must come of it. */
export class Wishes {
  /** What is wanted now, by its name. */
  readonly wanted = new Map<string, ProtectionRequest>()
  /** Since when, by its name. */
  readonly wantedSince = new Map<string, Instant>()
  readonly #oracle: Oracle
  /** Requests that this life of the client asked somebody for. */
  #placed = new WeakSet<ProtectionRequest>()
  /** The same requests, where a part is enough. */
  readonly #lenient = new WeakMap<ProtectionRequest, ProtectionRequest>()

  constructor(oracle: Oracle) {
    this.#oracle = oracle
  }

  want(name: string, request: ProtectionRequest, at: Instant): void {
    this.wanted.set(name, request)
    this.wantedSince.set(name, at)
  }

  /** What must come of a request: what was taken up once is not refused when a piece of it is nobody's any more. */
  expect(request: ProtectionRequest, at: Instant): Expectation {
    const found = this.#oracle.expect(request, at)
    if (!found.isRefused || !this.#placed.has(request)) return found
    const lenient = this.#lenient.get(request) ?? { ...request, allowPartial: true }
    this.#lenient.set(request, lenient)
    return this.#oracle.expect(lenient, at)
  }

  /** Another life of the client begins, which has asked nobody for anything. */
  forgetPlaced(): void {
    this.#placed = new WeakSet()
  }

  /** The client has heard of all that is wanted, and of how its network is now. */
  notePlaced(at: Instant): void {
    for (const request of this.wanted.values())
      if (this.#oracle.expect(request, at).asked.length > 0) this.#placed.add(request)
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
    lifetime: action.lifetimeSeconds,
    allowPartial: action.allowPartial,
    require: 'all'
  }
}
