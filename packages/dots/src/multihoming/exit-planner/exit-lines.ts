import { formatIpAddress, formatIpPrefix } from '@breakwater/core'
import { LINUX_MAIN_TABLE } from './exit.ts'
import type { ExitPlan, ExitRoute, ExitRule } from './exit-plan.ts'

/** A rule in the words of `ip rule add …`. */
export function ruleWords(
  { priority, from, mark, table, withoutDefault }: ExitRule,
  protocol: number
): string {
  return [
    `pref ${priority}`,
    ...(from === undefined ? [] : [`from ${formatIpPrefix(from)}`]),
    ...(mark === undefined ? [] : [`fwmark 0x${mark.toString(16)}`]),
    `lookup ${table === LINUX_MAIN_TABLE ? 'main' : table}`,
    ...(withoutDefault === true ? ['suppress_prefixlength 0'] : []),
    `protocol ${protocol}`
  ].join(' ')
}

/** A route in the words of `ip route replace …`. */
export function routeWords(
  { table, metric, interface: device, gateway }: ExitRoute,
  protocol: number
): string {
  const to = gateway === undefined ? '' : ` via ${formatIpAddress(gateway)}`
  const way = device === undefined ? 'unreachable default' : `default${to} dev ${device}`
  return `${way} table ${table} metric ${metric} proto ${protocol}`
}

/** The whole plan as a shell would take it. */
export function exitLines({ ownership: { protocol }, rules, routes, filter }: ExitPlan): string[] {
  return [
    ...routes.map((route) => `ip -${route.family} route replace ${routeWords(route, protocol)}`),
    ...rules.map((rule) => `ip -${rule.family} rule add ${ruleWords(rule, protocol)}`),
    "nft -f - <<'EOF'",
    ...filter.split('\n'),
    'EOF'
  ]
}
