import { domainToASCII } from 'node:url'
import { DecodeError, hostPrefix, parseIpAddress, parseIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { PlanRequest } from '@breakwater/control'
import { normalName, parseTargetUri } from '@breakwater/dots'
import type { Lifetime, NamedTarget, Target, TargetUri, Wanted } from '@breakwater/dots'

/**
 * What a command asks for.
 * @throws DecodeError when nothing is named, a prefix, name or URI is none, or a range of ports is upside down.
 */
export function wantedOfRequest(request: PlanRequest): Wanted {
  const target = targetOf(request)
  const named: NamedTarget = {
    names: (request.fqdns ?? []).map(nameOf),
    uris: (request.uris ?? []).map(uriOf),
    aliases: request.aliases ?? []
  }
  const { names, uris, aliases } = named
  const isNarrowable = target.prefixes.length + names.length + aliases.length > 0
  if (!isNarrowable && uris.length === 0)
    throw invalid('the target names nothing: a prefix, domain name, URI or alias is missing')
  if (!isNarrowable && target.ports.length + target.protocols.length > 0)
    throw invalid('ports and protocols narrow prefixes and names: a URI says its own')
  return names.length + uris.length + aliases.length === 0 ? { target } : { target, named }
}

function targetOf({ prefixes = [], ports, protocols }: PlanRequest): Target {
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

function nameOf(text: string): string {
  const name = normalName(text)
  if (name !== undefined) return name
  const shown = JSON.stringify(text.slice(0, 80))
  if (parseIpAddress(text) !== undefined) throw invalid(`${shown} is an address: it is a target by itself`)
  // RFC 5890 §2.3.2.1: a name with letters of other scripts is in the DNS under an ASCII name.
  const ascii = normalName(domainToASCII(text))
  const hint = ascii === undefined ? '' : `; in the DNS it is ${ascii}`
  throw invalid(`${shown} is no domain name${hint}`)
}

/** RFC 3986 §7.5: who logs in with a URI need not be known to find its host, and is not to be shown or stored. */
export function withoutUserInfo(uri: string): string {
  return uri.replace(/^([^/?#]*:\/\/)[^/?#]*@/, '$1')
}

function uriOf(asked: string): TargetUri {
  const text = withoutUserInfo(asked)
  const uri = parseTargetUri(text, JSON.stringify(text.slice(0, 80)))
  if (!uri.ok) throw invalid(uri.problem.diagnostic)
  return uri.value
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
