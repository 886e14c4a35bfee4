import { distinctPrefixes } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { sameTarget } from './target.ts'
import type { PortRange, Target } from './target.ts'

/** A `target-uri` (RFC 9132 §4.4.1.1) and what of it says where an attack goes. */
export interface TargetUri {
  /** As it was written. */
  readonly text: string
  readonly host:
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'address'; readonly prefix: IpPrefix }
  readonly ports: readonly PortRange[]
  /** IANA protocol numbers. */
  readonly protocols: readonly number[]
}

/** What a request asks protection for, as it stands there: beside addresses, what has to be resolved first. */
export interface RequestedTarget extends Target {
  /** `target-fqdn`, in lower case and without the dot of the root. */
  readonly names: readonly string[]
  /** `target-uri`. */
  readonly uris: readonly TargetUri[]
}

/** A target that names addresses only. */
export function plainRequest(target: Target): RequestedTarget {
  return { ...target, names: [], uris: [] }
}

/** Whether two requests ask for the same; order and repetition say nothing. */
export function sameRequestedTarget(a: RequestedTarget, b: RequestedTarget): boolean {
  return sameTarget(a, b) && sameTexts(a.names, b.names) && sameTexts(a.uris.map(textOf), b.uris.map(textOf))
}

/** Whether two requests name the same (RFC 9132 §4.4.1.3: they overlap then, whatever the name means today). */
export function shareName(a: RequestedTarget, b: RequestedTarget): boolean {
  const theirs = new Set([...b.names, ...b.uris.map(textOf)])
  return a.names.some((name) => theirs.has(name)) || a.uris.some((uri) => theirs.has(uri.text))
}

/** Every name that has to be resolved, once. */
export function hostNames({ names, uris }: RequestedTarget): string[] {
  const hosts = uris.flatMap(({ host }) => (host.kind === 'name' ? [host.name] : []))
  return [...new Set([...names, ...hosts])]
}

/**
 * What a request comes down to. RFC 9132 §4.4.1.1: the addresses of a URI's host are a target-prefix, its scheme the
 * target-protocol and its port the target-port-range of the scope. A part that names no ports, or no protocols, asks for
 * all of them, so one such part makes it all of them: never less is protected than was asked for.
 * @param resolved The addresses of `hostNames`.
 */
export function effectiveTarget(requested: RequestedTarget, resolved: readonly IpPrefix[]): Target {
  const { prefixes, names, ports, protocols, uris } = requested
  const literal = uris.flatMap(({ host }) => (host.kind === 'address' ? [host.prefix] : []))
  const isPlain = prefixes.length + names.length > 0
  return {
    prefixes: distinctPrefixes([...prefixes, ...literal, ...resolved]),
    ports: joined(
      ports,
      isPlain,
      uris.map((uri) => uri.ports)
    ),
    protocols: joined(
      protocols,
      isPlain,
      uris.map((uri) => uri.protocols)
    )
  }
}

function joined<Item>(own: readonly Item[], isPlain: boolean, ofUris: readonly (readonly Item[])[]): Item[] {
  const parts = isPlain || own.length > 0 ? [own, ...ofUris] : ofUris
  return parts.some((part) => part.length === 0) ? [] : [...new Set(parts.flat())]
}

function textOf({ text }: TargetUri): string {
  return text
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  const left = new Set(a)
  const right = new Set(b)
  return left.size === right.size && [...left].every((text) => right.has(text))
}
