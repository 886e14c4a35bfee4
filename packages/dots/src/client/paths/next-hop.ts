import { formatIpAddress } from '@breakwater/core'
import type { NextHop } from '../../domain/next-hops.ts'
import type { UsedPath } from './used-path.ts'

/** Next hops in words, by what decides them: see `leavingOf`. */
export type KnownNextHops = ReadonlyMap<string, string>

/**
 * What decides to which router packets go (RFC 8043): their interface and source. Default routes lead everywhere, so that who
 * knows the next hop of one destination knows it of all that are not on the link.
 */
export function leavingOf({ via, source }: Pick<UsedPath, 'via' | 'source'>): string {
  return `${via ?? 'any'} ${source}`
}

/** `192.0.2.254 on wan-a` */
export function nextHopText({ address, interface: via }: NextHop): string {
  return `${formatIpAddress(address)} on ${via}`
}
