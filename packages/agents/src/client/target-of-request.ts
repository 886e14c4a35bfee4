import { DecodeError, hostPrefix, parseIpAddress, parseIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { PlanRequest } from '@breakwater/control'
import type { Lifetime, Target } from '@breakwater/dots'

/**
 * The target that a command names.
 * @throws DecodeError when a target is neither address nor prefix or a range of ports is upside down.
 */
export function targetOfRequest({ prefixes, ports, protocols }: PlanRequest): Target {
  for (const { lower, upper } of ports ?? [])
    if (lower > upper) throw invalid(`ports ${lower}-${upper} are no range: the lower one comes first`)
  return {
    prefixes: prefixes.map((text) => prefixOf(text)),
    ports: ports ?? [],
    protocols: protocols ?? []
  }
}

/** An address stands for itself alone. */
function prefixOf(text: string): IpPrefix {
  const prefix = parseIpPrefix(text)
  if (prefix !== undefined) return prefix
  const address = parseIpAddress(text)
  if (address === undefined) throw invalid(`${JSON.stringify(text)} is no address and no prefix`)
  return hostPrefix(address)
}

/**
 * The lifetime that a command asks for.
 * @throws DecodeError on 0, which RFC 9132 §4.4.1.1 makes invalid.
 */
export function lifetimeOfRequest(seconds: number): Lifetime {
  if (seconds === 0) throw invalid('lifetime 0 is invalid: it is -1 (indefinite) or at least 1')
  return seconds === -1 ? 'indefinite' : seconds
}

function invalid(message: string): DecodeError {
  return new DecodeError('CONTROL_TARGET_INVALID', message)
}
