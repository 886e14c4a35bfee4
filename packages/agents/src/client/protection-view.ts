import { formatIpPrefix, prefixesOverlap } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { ProtectionView, RequestView } from '@breakwater/control'
import type { ClientStatus, ProtectionStatus, RequestReport, ServerStanding } from '@breakwater/dots'
import { mitigationStatusText } from '../control-api/mitigation-status-text.ts'
import { namesView } from './names-view.ts'
import { targetView } from '../control-api/target-view.ts'

/** A protection as the control API shows it, with what each server was asked for it. */
export function protectionView(
  status: ProtectionStatus,
  requests: ClientStatus['requests'],
  revision: number,
  now: Instant
): ProtectionView {
  const { id, state, alarm, target, servers, missing, disagreement, require, policy } = status
  const own = requests.filter((request) => request.protections.includes(id))
  const isLeaving = state === 'ending' || state === 'ended'
  return {
    id,
    revision,
    state,
    target: targetView(target),
    ...namedView(status, now),
    requests: servers.flatMap((standing) =>
      requestViews(isLeaving ? leaving(standing, state) : standing, own)
    ),
    // A protection that was released lacks nothing any more.
    missing: isLeaving ? [] : missingTexts(missing),
    missingParts: isLeaving ? [] : missing.map(missingPart),
    require,
    policy,
    alarm,
    ...(isLeaving || disagreement.length === 0
      ? {}
      : { disagreement: disagreement.map((each) => ({ ...each })) })
  }
}

/** What it is for beside addresses, and what the names of that mean. */
function namedView(
  { named, names }: ProtectionStatus,
  now: Instant
): Pick<ProtectionView, 'named' | 'names'> {
  if (named === undefined) return {}
  const { uris, aliases } = named
  return {
    named: { fqdns: [...named.names], uris: uris.map(({ text }) => text), aliases: [...aliases] },
    names: namesView(names, now)
  }
}

/** Where a server stands with a protection that was released, whatever it said before. */
function leaving(standing: ServerStanding, state: 'ending' | 'ended'): Standing {
  const { server, domain, prefixes } = standing
  return state === 'ended'
    ? { server, domain, prefixes, state, text: 'withdrawn' }
    : { server, domain, prefixes, state, text: 'asked to withdraw' }
}

function missingPart({
  kind,
  domain,
  server,
  text
}: ProtectionStatus['missing'][number]): NonNullable<ProtectionView['missingParts']>[number] {
  return {
    kind,
    ...(domain === undefined ? {} : { domain }),
    ...(server === undefined ? {} : { server }),
    text
  }
}

function missingTexts(missing: ProtectionStatus['missing']): string[] {
  return missing.map(({ server, domain, text }) => {
    const who = server ?? domain
    return who === undefined || text.startsWith(who) ? text : `${who}: ${text}`
  })
}

type Standing = Pick<ServerStanding, 'server' | 'domain' | 'prefixes' | 'text'> & Pick<RequestView, 'state'>

/** One row per request, one for a server that was not asked yet. */
function requestViews(standing: Standing, requests: readonly RequestReport[]): RequestView[] {
  const { server, domain, prefixes, state, text } = standing
  const own = requests.filter(({ server: other, target }) => {
    const touches = target.prefixes.some((each) => prefixes.some((part) => prefixesOverlap(each, part)))
    return other === server && touches
  })
  const common = { server, domain, state, text }
  if (own.length === 0) return [{ ...common, prefixes: prefixes.map((prefix) => formatIpPrefix(prefix)) }]
  return own.map((request) => ({ ...common, ...conflictText(request, text), ...requestView(request) }))
}

/** RFC 9132 §4.4.2.1: administrators are to hear of conflicts, also of those that leave the mitigation active. */
function conflictText({ conflict }: RequestReport, text: string): { readonly text?: string } {
  if (conflict === undefined) return {}
  return { text: `${text}; it conflicts with a request of another client (${conflict})` }
}

function requestView(request: RequestReport): Omit<RequestView, 'server' | 'domain' | 'state' | 'text'> {
  const { mitigationId, target, status, remainingSeconds, isIndefinite, packetsDropped, bytesDropped } =
    request
  const left = isIndefinite ? -1 : remainingSeconds
  return {
    prefixes: target.prefixes.map((prefix) => formatIpPrefix(prefix)),
    mitigationId,
    ...(status === undefined ? {} : { status: mitigationStatusText(status) }),
    ...(left === undefined ? {} : { remainingLifetimeSeconds: Math.round(left) }),
    ...(packetsDropped === undefined ? {} : { droppedPackets: String(packetsDropped) }),
    ...(bytesDropped === undefined ? {} : { droppedBytes: String(bytesDropped) })
  }
}
