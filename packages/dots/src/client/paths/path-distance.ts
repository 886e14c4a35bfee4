import { equalIpAddresses } from '@breakwater/core'
import type { LegalPath } from '../../multihoming/legal-path.ts'

export const WARM_STANDBY = ['off', 'apart', 'any'] as const

/**
 * Beside which paths a second session is kept: none, such as share not all of the server's address, the interface and the source
 * with the first, or any other, so that UDP and TCP stand by for each other.
 */
export type WarmStandby = (typeof WARM_STANDBY)[number]

/** How many of the parts that may fail by themselves two paths do not share: of interface, server's address and source. */
export function partsApart(one: LegalPath, other: LegalPath): number {
  return [
    one.interface !== other.interface,
    !equalIpAddresses(one.remote.address, other.remote.address),
    !equalIpAddresses(one.source, other.source)
  ].filter(Boolean).length
}

/** The paths that may stand by for a session, those that share least with it first. */
export function secondPaths(
  session: LegalPath,
  paths: readonly LegalPath[],
  standby: WarmStandby
): readonly LegalPath[] {
  if (standby === 'off') return []
  const apart = paths.map((path) => ({ path, parts: partsApart(session, path) }))
  return apart
    .filter(({ path, parts }) => parts > 0 || (standby === 'any' && path.transport !== session.transport))
    .toSorted((one, other) => other.parts - one.parts)
    .map(({ path }) => path)
}
