import { formatIpPrefix } from '@breakwater/core'
import type { ProtectionView, RequestView } from '@breakwater/control'
import type { ClientStatus, ProtectionStatus, RequestReport, ServerStanding } from '@breakwater/dots'
import { mitigationStatusText } from '../control-api/mitigation-status-text.ts'
import { targetView } from '../control-api/target-view.ts'

/** A protection as the control API shows it, with what each server was asked for it. */
export function protectionView(
  status: ProtectionStatus,
  requests: ClientStatus['requests'],
  revision: number
): ProtectionView {
  const { id, state, alarm, target, servers, missing } = status
  const own = requests.filter((request) => request.protections.includes(id))
  const isLeaving = state === 'ending' || state === 'ended'
  return {
    id,
    revision,
    state,
    target: targetView(target),
    requests: servers.flatMap((standing) =>
      requestViews(isLeaving ? leaving(standing, state) : standing, own, status)
    ),
    // A protection that was released lacks nothing any more.
    missing: isLeaving ? [] : missingTexts(missing),
    alarm
  }
}

/** Where a server stands with a protection that was released, whatever it said before. */
function leaving(standing: ServerStanding, state: 'ending' | 'ended'): Standing {
  const { server, domain } = standing
  return state === 'ended'
    ? { server, domain, state, text: 'withdrawn' }
    : { server, domain, state, text: 'asked to withdraw' }
}

function missingTexts(missing: ProtectionStatus['missing']): string[] {
  return missing.map(({ server, domain, text }) => {
    const who = server ?? domain
    return who === undefined || text.startsWith(who) ? text : `${who}: ${text}`
  })
}

type Standing = Pick<RequestView, 'server' | 'domain' | 'state' | 'text'>

/** One row per request, one for a server that was not asked yet. */
function requestViews(
  standing: Standing,
  requests: readonly RequestReport[],
  { target }: ProtectionStatus
): RequestView[] {
  const { server, domain, state, text } = standing
  const own = requests.filter((request) => request.server === server)
  const common = { server, domain, state, text }
  if (own.length === 0) return [{ ...common, prefixes: targetView(target).prefixes }]
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
