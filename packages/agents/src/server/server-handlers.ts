import { between, inSeconds } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import type { MitigationView } from '@breakwater/control'
import type { EndpointStats, MitigationSnapshot, ServerHost } from '@breakwater/dots'
import type { ServerHandlers } from '../control-api/handlers.ts'
import { mitigationStatusText } from '../control-api/mitigation-status-text.ts'
import { listeningAddressText } from '../socket-address-text.ts'
import { targetView } from '../control-api/target-view.ts'
import { VERSION } from '../version.ts'
import { sessionView } from './session-view.ts'
import { redirectionOf } from './wanted-redirection.ts'

/** What the control API of a server can be asked. @param clients Their names. */
export function serverHandlers(host: ServerHost, clock: Clock, clients: ReadonlySet<string>): ServerHandlers {
  const started = clock.now()
  return {
    agent: () => ({
      role: 'server',
      version: VERSION,
      pid: process.pid,
      uptimeSeconds: inSeconds(between(started, clock.now())),
      listen: host.addresses.map((address) => listeningAddressText(address))
    }),
    sessions: () => host.sessions().map((session) => sessionView(session)),
    counters: () => ({ ...host.counters.snapshot(), ...host.loads(), ...sumOf(host.endpointStats()) }),
    redirect: (redirection) =>
      host.redirect(redirection === undefined ? undefined : redirectionOf(redirection, clients)),
    mitigations: () => Promise.resolve(host.mitigations().map((mitigation) => viewOf(mitigation)))
  }
}

function viewOf(mitigation: MitigationSnapshot): MitigationView {
  const { domain, cuid, mitigationId, state, status, target, remainingLifetimeSeconds, dropped } = mitigation
  return {
    client: domain,
    cuid,
    mitigationId,
    state,
    status: mitigationStatusText(status),
    target: targetView(target),
    remainingLifetimeSeconds,
    ...(dropped === undefined
      ? {}
      : { droppedPackets: String(dropped.packets), droppedBytes: String(dropped.bytes) })
  }
}

/** One server may listen on several endpoints; the counters of those of one transport count together. */
function sumOf(all: readonly EndpointStats[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { transport, counters } of all)
    for (const [counter, value] of Object.entries(counters)) {
      const name = `${transport === 'udp' ? 'dtls' : 'tls'}_${counter}`
      sums[name] = (sums[name] ?? 0) + value
    }
  return sums
}
