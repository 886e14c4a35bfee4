import type { PortRange, Target } from '../domain/target.ts'

/** What narrows a target besides its prefixes. Empty lists narrow nothing. */
export type Scope = Pick<Target, 'ports' | 'protocols'>

const HIGHEST_PORT = 65_535

/** The narrowest scope that contains all of these: one that names no ports stands for every port. */
export function unionOfScopes(scopes: readonly Scope[]): Scope {
  const anyPort = scopes.some((scope) => scope.ports.length === 0)
  const anyProtocol = scopes.some((scope) => scope.protocols.length === 0)
  const protocols = new Set(scopes.flatMap((scope) => scope.protocols))
  return {
    ports: anyPort ? [] : mergePorts(scopes.flatMap((scope) => scope.ports)),
    protocols: anyProtocol ? [] : [...protocols].sort((a, b) => a - b)
  }
}

/** Whether `outer` narrows nothing that `inner` wants. */
export function coversScope(outer: Scope, inner: Scope): boolean {
  return coversPorts(outer.ports, inner.ports) && coversProtocols(outer.protocols, inner.protocols)
}

/** Equal for equal scopes as `unionOfScopes` makes them. */
export function scopeKey(scope: Scope): string {
  const ports = scope.ports.map((range) => `${range.lower}-${range.upper}`).join(',')
  return `ports ${ports} protocols ${scope.protocols.join(',')}`
}

/** Ranges in ascending order, none touching the next; every port is the empty list. */
export function mergePorts(ranges: readonly PortRange[]): PortRange[] {
  const merged: PortRange[] = []
  for (const range of ranges.toSorted((a, b) => a.lower - b.lower)) {
    const last = merged.at(-1)
    if (last === undefined || range.lower > last.upper + 1) merged.push(range)
    else if (range.upper > last.upper) merged[merged.length - 1] = { lower: last.lower, upper: range.upper }
  }
  const [first] = merged
  return first?.lower === 0 && first.upper === HIGHEST_PORT ? [] : merged
}

function coversPorts(outer: readonly PortRange[], inner: readonly PortRange[]): boolean {
  if (outer.length === 0) return true
  const wanted = inner.length === 0 ? [{ lower: 0, upper: HIGHEST_PORT }] : inner
  const wide = mergePorts(outer)
  if (wide.length === 0) return true
  return wanted.every((range) => wide.some((own) => own.lower <= range.lower && range.upper <= own.upper))
}

function coversProtocols(outer: readonly number[], inner: readonly number[]): boolean {
  if (outer.length === 0) return true
  return inner.length > 0 && inner.every((protocol) => outer.includes(protocol))
}
