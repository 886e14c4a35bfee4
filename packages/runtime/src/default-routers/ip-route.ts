import { parseIpAddress } from '@breakwater/core'
import type { DefaultRouter } from '@breakwater/dots'

/** A router with what orders it: the lower metric is preferred. */
export interface RankedRouter extends DefaultRouter {
  readonly metric: number
}

/** Flags of routes, and of their next hops, that lead nowhere at the moment. */
const UNUSABLE: ReadonlySet<unknown> = new Set(['dead', 'linkdown'])

/**
 * Reads what `ip -json route show table all default` prints: one object per route, of all tables, because a site with
 * several providers keeps their default routes in tables of their own (RFC 8043).
 * @throws SyntaxError when it is not JSON.
 */
export function routersOfIpRoute(text: string): RankedRouter[] {
  const routes: unknown = text.trim() === '' ? [] : JSON.parse(text)
  if (!Array.isArray(routes)) return []
  return routes.flatMap((route: unknown) => {
    if (!isObject(route) || route['dst'] !== 'default' || isUnusable(route)) return []
    const metric = typeof route['metric'] === 'number' ? route['metric'] : 0
    const hops: readonly unknown[] = Array.isArray(route['nexthops']) ? route['nexthops'] : [route]
    return hops.flatMap((hop) => routerOf(hop, metric))
  })
}

function routerOf(hop: unknown, metric: number): RankedRouter[] {
  if (!isObject(hop) || isUnusable(hop) || typeof hop['dev'] !== 'string') return []
  const address = addressOf(hop)
  return address === undefined ? [] : [{ interface: hop['dev'], address, metric }]
}

/** A route without a gateway goes to the link itself: there is no router on it. */
function addressOf(hop: Readonly<Record<string, unknown>>): ReturnType<typeof parseIpAddress> {
  const via = hop['via']
  const text = isObject(via) ? via['host'] : hop['gateway']
  return typeof text === 'string' ? parseIpAddress(text) : undefined
}

function isUnusable({ flags }: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(flags) && flags.some((flag) => UNUSABLE.has(flag))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
