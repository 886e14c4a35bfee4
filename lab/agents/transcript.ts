import { existsSync, readFileSync } from 'node:fs'

import { type IpPrefix, parseIpPrefix, prefixContains } from '@breakwater/core'

/** One mitigation request as a server decrypted it, from its audit file. */
export interface SeenRequest {
  readonly provider: string
  readonly targets: readonly string[]
}

/** All mitigation requests that a server saw, accepted or not. */
export function readTranscript(provider: string, file: string): readonly SeenRequest[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({
      provider,
      targets: (JSON.parse(line) as { targets?: readonly string[] }).targets ?? []
    }))
}

/**
 * Requests at a server that is not entitled to all of their targets. Entitlement is the scenario's own table: neither the
 * client's placement nor the server's authorisation has a say in it.
 */
export function wrongServerRequests(
  seen: readonly SeenRequest[],
  entitled: ReadonlyMap<string, readonly IpPrefix[]>
): number {
  return seen.filter(({ provider, targets }) =>
    targets.some((target) => {
      const prefix = parseIpPrefix(target)
      return prefix === undefined || !entitled.get(provider)?.some((own) => prefixContains(own, prefix))
    })
  ).length
}
