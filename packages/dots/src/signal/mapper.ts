import { Code } from '@breakwater/coap'
import { formatIpPrefix, parseIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { SignalMessage, TargetNodes } from '@breakwater/model'
import type { PortRange, Target } from '../domain/target.ts'
import type { RequestedTarget, TargetUri } from '../domain/requested-target.ts'
import { normalName, parseTargetUri } from './target-uri.ts'
import { INDEFINITE_LIFETIME } from './lifetime.ts'
import type { Lifetime } from './lifetime.ts'
import { accepted, refused } from './problem.ts'
import type { Checked } from './problem.ts'

/** Between the wire view of a target (RFC 9132 §4.4.1.1) and our own. */

/** When a mitigation begins: now, or when the signal channel session is lost (RFC 9132 §4.4.1.1, `trigger-mitigation`). */
export type Trigger = 'immediate' | 'signal-loss'

/** The body of a mitigation request; `cuid` and `mid` stand in its path, never here (RFC 9132 §4.4.1.1). */
export function mitigationRequestBody(
  target: Target,
  lifetime: Lifetime,
  trigger: Trigger = 'immediate'
): SignalMessage {
  const lifetimeSeconds = lifetime === 'indefinite' ? INDEFINITE_LIFETIME : lifetime
  // RFC 9132 §4.4.1.1: left out, it is true.
  const triggerMitigation = trigger === 'immediate' ? {} : { triggerMitigation: false }
  const entry = { ...targetNodes(target), lifetime: lifetimeSeconds, ...triggerMitigation }
  return { mitigationScope: { scope: [entry] } }
}

/** A target as it stands on the wire; what narrows nothing is left out, for empty lists are invalid there. */
export function targetNodes(target: Target): TargetNodes {
  const { prefixes, ports, protocols } = target
  return {
    ...(prefixes.length === 0 ? {} : { targetPrefix: prefixes.map(formatIpPrefix) }),
    ...(ports.length === 0 ? {} : { targetPortRange: ports.map(portNodes) }),
    ...(protocols.length === 0 ? {} : { targetProtocol: protocols })
  }
}

/** A request's target as its client wrote it (RFC 9132 §4.4.2: retrieved "in the same order"). */
export function requestedNodes(requested: RequestedTarget): TargetNodes {
  const { names, uris } = requested
  return {
    ...targetNodes(requested),
    ...(names.length === 0 ? {} : { targetFqdn: names }),
    ...(uris.length === 0 ? {} : { targetUri: uris.map(({ text }) => text) })
  }
}

/** Reads all that a request may name but aliases. */
export function parseRequestedTarget(nodes: TargetNodes, where = 'scope[0]'): Checked<RequestedTarget> {
  const target = parseTarget(nodes, where)
  if (!target.ok) return target
  const names: string[] = []
  for (const [index, text] of (nodes.targetFqdn ?? []).entries()) {
    const name = normalName(text)
    if (name === undefined)
      return refused(
        'DOTS_SIGNAL_NAME_INVALID',
        Code.badRequest,
        `this is no domain name (${where}.target-fqdn[${index}])`
      )
    names.push(name)
  }
  const uris: TargetUri[] = []
  for (const [index, text] of (nodes.targetUri ?? []).entries()) {
    const uri = parseTargetUri(text, `${where}.target-uri[${index}]`)
    if (!uri.ok) return uri
    uris.push(uri.value)
  }
  return accepted({ ...target.value, names, uris })
}

/**
 * Reads the prefixes, ports and protocols of a request. Names, URIs and aliases are not looked at.
 * @param where Place of `nodes` in the message, for diagnostics.
 */
export function parseTarget(nodes: TargetNodes, where = 'scope[0]'): Checked<Target> {
  const prefixes: IpPrefix[] = []
  for (const [index, text] of (nodes.targetPrefix ?? []).entries()) {
    const prefix = parsePrefix(text, `${where}.target-prefix[${index}]`)
    if (!prefix.ok) return prefix
    prefixes.push(prefix.value)
  }
  const ports: PortRange[] = []
  for (const [index, { lowerPort, upperPort = lowerPort }] of (nodes.targetPortRange ?? []).entries()) {
    if (lowerPort > upperPort)
      return portsReversed(lowerPort, upperPort, `${where}.target-port-range[${index}]`)
    ports.push({ lower: lowerPort, upper: upperPort })
  }
  return accepted({ prefixes, ports, protocols: nodes.targetProtocol ?? [] })
}

/** A target as texts that people read: `192.0.2.0/24`, `port 80-443`, `protocol 17`. */
export function targetTexts(target: Target): string[] {
  return [
    ...target.prefixes.map(formatIpPrefix),
    ...target.ports.map(({ lower, upper }) => `port ${lower === upper ? lower : `${lower}-${upper}`}`),
    ...target.protocols.map((protocol) => `protocol ${protocol}`)
  ]
}

/** What a request names, as texts that people read. */
export function requestedTexts(requested: RequestedTarget): string[] {
  return [...requested.names, ...requested.uris.map(({ text }) => text), ...targetTexts(requested)]
}

function portNodes({ lower, upper }: PortRange): { lowerPort: number; upperPort?: number } {
  // RFC 9132 §4.4.1.1: a single port has a lower-port only.
  return lower === upper ? { lowerPort: lower } : { lowerPort: lower, upperPort: upper }
}

function parsePrefix(text: string, where: string): Checked<IpPrefix> {
  const prefix = parseIpPrefix(text)
  if (prefix !== undefined) return accepted(prefix)
  const meant = parseIpPrefix(text, 'clear')
  const shown = JSON.stringify(text.slice(0, 49))
  // Deviation: RFC 6991 §4 would clear these bits. Who writes them may mean the address or the network; a filter must
  // not be guessed.
  return meant === undefined
    ? refused('DOTS_SIGNAL_PREFIX_INVALID', Code.badRequest, `${shown} is no IP prefix (${where})`)
    : refused(
        'DOTS_SIGNAL_PREFIX_HOST_BITS',
        Code.badRequest,
        `${shown} has bits behind the prefix length; the network is ${formatIpPrefix(meant)} (${where})`
      )
}

function portsReversed(lower: number, upper: number, where: string): Checked<never> {
  return refused(
    'DOTS_SIGNAL_PORT_RANGE_INVALID',
    Code.badRequest,
    `lower-port ${lower} is above upper-port ${upper} (${where})`
  )
}
