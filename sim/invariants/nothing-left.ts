import { Seconds } from '@breakwater/core'
import type { Provider } from '../world/provider.ts'
import { MITIGATIONS } from '../world/provider.ts'
import type { Report, WorldView } from './invariant.ts'

/** What a server has armed when there is nothing to do. */
const IDLE_TIMERS: ReadonlySet<string> = new Set(['clock', 'status'])

/** When all lifetimes are over and all clients gone, exchange tables and timers are empty and no rule is left. */
export function checkIdleServers({ providers }: WorldView, report: Report): void {
  for (const provider of providers)
    for (const text of leftAt(provider)) report(`provider ${provider.number} still has ${text}`)
}

function leftAt({ server, device, disk }: Provider): string[] {
  if (server === undefined) return ['no server']
  const { sessions, clients, mitigations } = server.sizes()
  const timers = server.timers().filter(({ name }) => !IDLE_TIMERS.has(name))
  const records = disk.keys(MITIGATIONS)
  return [
    ...(sessions + clients + mitigations > 0
      ? [`${sessions} sessions, ${clients} clients, ${mitigations} mitigations`]
      : []),
    ...timers.map(({ name }) => `timer ${name}`),
    ...[...device.rules.keys()].map((plan) => `the rule ${plan}`),
    ...records.map((key) => `the record ${key}`)
  ]
}

/** Of a CoAP session that has nothing to do; requests of ours that observe something stay open. */
const EMPTY_WHEN_IDLE = ['coap_requests_unanswered', 'coap_confirmables_waiting', 'coap_transfers'] as const

/** What the exchange tables of both sides hold: nothing, between two heartbeats of agents that are idle. */
export function openExchanges({ providers, customers }: WorldView): string[] {
  const all = [
    ...providers.map(({ number, server }) => [`provider ${number}`, server?.loads() ?? {}] as const),
    ...customers.map(({ plan, client }) => [`site ${plan.number}`, client?.loads() ?? {}] as const)
  ]
  // What an earlier life of a client left is told of in blocks until it is over.
  const isTold = providers.some((provider) => provider.mitigations().length > 0)
  return all.flatMap(([who, loads]) =>
    EMPTY_WHEN_IDLE.filter((name) => loads[name] !== 0 && !(isTold && name === 'coap_transfers')).map(
      (name) => `${who}: ${name} is ${loads[name]}`
    )
  )
}

/** When everything has been stopped, nothing is scheduled and no socket is open. */
export async function checkNothingLeft(
  view: WorldView,
  openSockets: () => number,
  report: Report
): Promise<void> {
  // What was under way arrives.
  await view.clock.advance(Seconds(10))
  if (view.clock.pending() > 0) report(`${view.clock.pending()} calls are still scheduled`)
  if (openSockets() > 0) report(`${openSockets()} sockets are still open`)
}
