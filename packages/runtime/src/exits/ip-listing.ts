// What `ip -N -json` lists of rules and routes.
import { parseIpAddress, parseIpPrefix } from '@breakwater/core'
import type { IpFamily } from '@breakwater/core'
import type { ExitRoute, ExitRule } from '@breakwater/dots'

/** One rule or route. */
export type Listed = Readonly<Record<string, unknown>>

export function objectsIn(text: string): Listed[] {
  const parsed: unknown = text.trim() === '' ? [] : JSON.parse(text)
  return Array.isArray(parsed)
    ? parsed.filter((each): each is Listed => typeof each === 'object' && each !== null)
    : []
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function ruleOf(listed: Listed, family: IpFamily): ExitRule {
  const length = Number(listed['srclen'] ?? (family === 4 ? 32 : 128))
  const from = listed['src'] === 'all' ? undefined : parseIpPrefix(`${textOf(listed['src'])}/${length}`)
  return {
    family,
    priority: Number(listed['priority']),
    table: Number(listed['table']),
    ...(from === undefined ? {} : { from }),
    ...(listed['fwmark'] === undefined ? {} : { mark: Number(listed['fwmark']) }),
    ...(listed['suppress_prefixlen'] === undefined ? {} : { withoutDefault: true as const })
  }
}

/** RTN_UNREACHABLE */
const unreachable = '7'

export function routeOf(listed: Listed, family: IpFamily, table: number): ExitRoute {
  const route = { family, table, metric: Number(listed['metric'] ?? 0) }
  if (String(listed['type']) === unreachable) return route
  const gateway = parseIpAddress(textOf(listed['gateway']))
  const found = { ...route, interface: textOf(listed['dev']) }
  return gateway === undefined ? found : { ...found, gateway }
}
