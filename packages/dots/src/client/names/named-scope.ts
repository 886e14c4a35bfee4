import { distinctPrefixes } from '@breakwater/core'
import type { Alias, NamedTarget } from '../../domain/alias.ts'
import type { RequestedTarget } from '../../domain/requested-target.ts'
import type { Target } from '../../domain/target.ts'
import { scopeKey } from '../../multihoming/scope.ts'

/** Addresses and names that are to be protected for the same ports and protocols. */
export interface NamedScope extends Target {
  readonly names: readonly string[]
}

/** What a protection comes to, before its names are resolved. */
export interface WantedScopes {
  readonly scopes: readonly NamedScope[]
  /** Aliases that the site does not have. */
  readonly unknownAliases: readonly string[]
}

/**
 * Parts a target by what narrows it. RFC 9132 §4.4.1.1: the scheme and the port of a URI narrow that URI, and nothing else
 * that is asked for with it; so they make a scope of their own. An alias that names no ports takes those of the command.
 */
export function scopesOf(
  target: Target,
  { names, uris, aliases }: NamedTarget,
  known: readonly Alias[]
): WantedScopes {
  const used = aliases.flatMap((name) => known.filter((alias) => alias.name === name))
  const parts: RequestedTarget[] = [
    { ...target, names, uris },
    ...used.map(({ target: own }) => ({
      ...own,
      ports: own.ports.length === 0 ? target.ports : own.ports,
      protocols: own.protocols.length === 0 ? target.protocols : own.protocols
    }))
  ]
  const unknownAliases = aliases.filter((name) => !known.some((alias) => alias.name === name))
  return { scopes: joined(parts.flatMap(partsOf)), unknownAliases }
}

/** Every name of them, once. */
export function namesOf({ scopes }: WantedScopes): string[] {
  return [...new Set(scopes.flatMap(({ names }) => names))]
}

function partsOf({ prefixes, names, ports, protocols, uris }: RequestedTarget): NamedScope[] {
  const plain = prefixes.length + names.length === 0 ? [] : [{ prefixes, names, ports, protocols }]
  const ofUris = uris.map(({ host, ports: own, protocols: transports }): NamedScope => {
    const scope = { ports: own, protocols: transports }
    return host.kind === 'name'
      ? { ...scope, prefixes: [], names: [host.name] }
      : { ...scope, prefixes: [host.prefix], names: [] }
  })
  return [...plain, ...ofUris]
}

/** One of each scope. */
function joined(parts: readonly NamedScope[]): NamedScope[] {
  const byScope = new Map<string, NamedScope>()
  for (const part of parts) {
    const known = byScope.get(scopeKey(part))
    byScope.set(scopeKey(part), {
      ...part,
      prefixes: distinctPrefixes([...(known?.prefixes ?? []), ...part.prefixes]),
      names: [...new Set([...(known?.names ?? []), ...part.names])]
    })
  }
  return [...byScope.values()]
}
