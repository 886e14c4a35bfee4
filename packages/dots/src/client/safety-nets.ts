import type { ServerName } from '../domain/identifier.ts'
import type { PreconfiguredScope } from '../domain/site.ts'
import { targetKey } from '../multihoming/compiler.ts'
import { safetyNetOf } from '../multihoming/safety-net.ts'
import type { SitePlan } from '../multihoming/site-plan.ts'
import type { Association } from './association.ts'

/** What each server is to protect when its session is lost; only servers that have something. */
export function safetyNets(
  associations: readonly Association[],
  plan: SitePlan
): ReadonlyMap<ServerName, readonly PreconfiguredScope[]> {
  const nets = associations.map(({ server }) => [server.name, safetyNetOf(server, plan)] as const)
  return new Map(nets.filter(([, net]) => net.length > 0))
}

/** Equal for nets of the same scopes. */
export function netKey(net: readonly PreconfiguredScope[] = []): string {
  return net.map(({ target, lifetime }) => `${targetKey(target)} ${lifetime}`).join('\n')
}
