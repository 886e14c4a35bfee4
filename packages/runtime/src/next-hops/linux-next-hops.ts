import { formatIpAddress, parseIpAddress } from '@breakwater/core'
import type { NextHop, NextHops } from '@breakwater/dots'
import { ipOutput } from '../ip-command.ts'
import type { IpCommand } from '../ip-command.ts'

export interface LinuxNextHopsOptions {
  /** The command `ip` of iproute2, with what must stand before it. Default `ip`. */
  readonly ip?: IpCommand
}

/** The next hops of this Linux host, as its kernel would choose them (`ip route get`): by all rules and tables. */
export function linuxNextHops({ ip = ['ip'] }: LinuxNextHopsOptions = {}): NextHops {
  return {
    of: async ({ destination, source, interface: via }) => {
      const words = ['-json', `-${destination.family}`, 'route', 'get', formatIpAddress(destination)]
      const by = via === undefined ? [] : ['oif', via]
      try {
        return nextHopOfIpRoute(await ipOutput(ip, [...words, 'from', formatIpAddress(source), ...by]))
      } catch {
        // No way there, a source that has gone, or no such command: nobody knows.
        return undefined
      }
    }
  }
}

/**
 * Reads what `ip -json route get` prints: one route. Undefined where it leads to the link itself.
 * @throws SyntaxError when it is not JSON.
 */
export function nextHopOfIpRoute(text: string): NextHop | undefined {
  const routes: unknown = JSON.parse(text)
  const route: unknown = Array.isArray(routes) ? routes[0] : undefined
  if (!isObject(route) || typeof route['dev'] !== 'string') return undefined
  const via = route['via']
  const gateway = isObject(via) ? via['host'] : route['gateway']
  const address = typeof gateway === 'string' ? parseIpAddress(gateway) : undefined
  return address === undefined ? undefined : { address, interface: route['dev'] }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
