import type { ProtectionId } from '../../domain/identifier.ts'
import type { CompiledRequest } from '../../multihoming/compiler.ts'
import type { Lifetime } from '../../signal/lifetime.ts'

export type Lifetimes = ReadonlyMap<ProtectionId, Lifetime>

/** A request lasts as long as the longest of the protections that it serves. */
export function longest(request: CompiledRequest, lifetimes: Lifetimes): Lifetime {
  let seconds = 0
  for (const protection of request.protections) {
    const lifetime = lifetimes.get(protection) ?? 0
    if (lifetime === 'indefinite') return lifetime
    seconds = Math.max(seconds, lifetime)
  }
  return seconds
}
