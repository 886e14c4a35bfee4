import { readFile } from 'node:fs/promises'
import { UnavailableError, compareIpAddresses } from '@breakwater/core'
import type { DefaultRouter, DefaultRouters } from '@breakwater/dots'
import { ipOutput } from '../ip-command.ts'
import type { IpCommand } from '../ip-command.ts'
import { routersOfIpRoute } from './ip-route.ts'
import type { RankedRouter } from './ip-route.ts'
import { routersOfProcIpv6Route, routersOfProcRoute } from './proc-route.ts'

export interface LinuxDefaultRoutersOptions {
  /** The command `ip` of iproute2, with what must stand before it. Default `ip`. */
  readonly ip?: IpCommand
}

/**
 * The default routers of this Linux host: of all routing tables by `ip`; where there is no such command, of the main
 * table by `/proc`, which shows no other for IPv4.
 */
export function linuxDefaultRouters(options: LinuxDefaultRoutersOptions = {}): DefaultRouters {
  const ip = options.ip ?? (['ip'] as const)
  return {
    read: async () => inOrder(await fromIp(ip).catch((error: unknown) => fromProcIfMissing(error)))
  }
}

async function fromIp(command: IpCommand): Promise<RankedRouter[]> {
  const routes = (family: '-4' | '-6'): Promise<string> =>
    ipOutput(command, ['-json', family, 'route', 'show', 'table', 'all', 'default'])
  const [four, six] = await Promise.all([routes('-4'), routes('-6')])
  return [...routersOfIpRoute(four), ...routersOfIpRoute(six)]
}

async function fromProcIfMissing(cause: unknown): Promise<RankedRouter[]> {
  const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
  if (!isMissing)
    throw new UnavailableError('RUNTIME_ROUTES_UNREADABLE', 'the default routers cannot be read', true, {
      cause
    })
  // A kernel without IPv6 has no such file.
  const [four, six] = await Promise.all(
    ['/proc/net/route', '/proc/net/ipv6_route'].map((file) => readFile(file, 'utf8').catch(() => ''))
  )
  return [...routersOfProcRoute(four ?? ''), ...routersOfProcIpv6Route(six ?? '')]
}

/** The lowest metric first; a router that several tables name counts once. */
function inOrder(routers: readonly RankedRouter[]): DefaultRouter[] {
  const ordered = routers.toSorted((x, y) => x.metric - y.metric)
  return ordered
    .filter((router, index) => ordered.findIndex((other) => isSame(other, router)) === index)
    .map(({ interface: via, address }) => ({ interface: via, address }))
}

function isSame(x: DefaultRouter, y: DefaultRouter): boolean {
  return x.interface === y.interface && compareIpAddresses(x.address, y.address) === 0
}
