import type { ServerName } from '../domain/identifier.ts'
import type { PreconfiguredScope } from '../domain/site.ts'
import { targetKey } from '../multihoming/compiler.ts'
import type { SafetyNets } from '../multihoming/safety-net.ts'

/** Who stands by with more or something else than before, and who with less. */
export interface NetChange {
  readonly gaining: ReadonlySet<ServerName>
  readonly losing: ReadonlySet<ServerName>
}

/** What is different between two moments. */
export function netChange(former: SafetyNets, nets: SafetyNets): NetChange {
  const gaining = [...nets].filter(([name, net]) => lacks(former.get(name), net))
  const losing = [...former].filter(([name, net]) => lacks(nets.get(name), net))
  return {
    gaining: new Set(gaining.map(([name]) => name)),
    losing: new Set(losing.map(([name]) => name))
  }
}

/** Something of the other one is missing. */
function lacks(net: readonly PreconfiguredScope[] = [], other: readonly PreconfiguredScope[]): boolean {
  return other.some((scope) => !net.some((each) => scopeKey(each) === scopeKey(scope)))
}

function scopeKey({ target, lifetime }: PreconfiguredScope): string {
  return `${targetKey(target)} ${lifetime}`
}
