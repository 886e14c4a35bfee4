import { formatIpAddress, formatIpPrefix } from '@breakwater/core'
import type { Transport } from '@breakwater/core'
import type {
  MitigationSnapshot,
  ProtectionState,
  RequestReport,
  SessionParameters,
  SessionReport,
  SessionSnapshot,
  Target
} from '@breakwater/dots'
import type { ServerPlan } from '../layout.ts'
import type { Expectation } from '../oracle/facts.ts'
import type { Customer } from '../world/customer.ts'
import type { Provider } from '../world/provider.ts'
import { agreedConfiguration } from '../world/session-parameters.ts'
import type { WorldView } from './invariant.ts'
import { safetyNetFaults } from './safety-net.ts'
import { mitigationOfPlan } from './timely-end.ts'

/**
 * Liveness: what client and servers do not agree on, and where the rules in force are not what is active. Not an
 * invariant of the storm: empty within a bound after all is well again.
 */
export function disagreements(view: WorldView): string[] {
  return [
    ...view.customers.flatMap((customer) => [
      ...protectionFaults(view, customer),
      ...safetyNetFaults(view, customer),
      ...serversOf(view, customer).flatMap((server) => requestFaults(view, customer, server))
    ]),
    ...view.providers.flatMap(ruleFaults)
  ]
}

/** Those that the client knows. */
function serversOf({ layout }: WorldView, { plan }: Customer): readonly ServerPlan[] {
  return layout.servers.filter(
    ({ number, standsFor, home }) => number === standsFor && plan.domains.some((each) => each.number === home)
  )
}

function protectionFaults({ clock }: WorldView, customer: Customer): string[] {
  const status = customer.status()
  if (status === undefined) return [`client ${customer.plan.number} is down`]
  const faults: string[] = []
  for (const { id, state } of status.protections) {
    const request = customer.wishes.wanted.get(id)
    if (request === undefined) faults.push(`released protection ${id} is ${state}`)
    else {
      const expected = customer.wishes.mayCome(request, clock.now()).map(finalState)
      if (!expected.includes(state))
        faults.push(`protection ${id} is ${state} instead of ${expected.join(' or ') || 'of unknown names'}`)
    }
  }
  return faults
}

/** What it must come to where all are well. */
function finalState({ asked, isForeign, isRefused, isWaiting, uncovered }: Expectation): ProtectionState {
  if (asked.length === 0) return isWaiting && !isRefused ? 'waiting' : 'refused'
  return isForeign || isWaiting || uncovered.length > 0 ? 'partly-protected' : 'protected'
}

function requestFaults(view: WorldView, customer: Customer, server: ServerPlan): string[] {
  const { providers, ledger } = view
  const status = customer.status()
  const own = customer.plan.domains.find(({ number }) => number === server.home)?.cuid
  const where = `site ${customer.plan.number} at server ${server.number}`
  const session = status?.sessions.find((each) => each.server === server.called)
  if (session?.state === 'stopped' && isLeftAlone(view, customer, server)) return []
  if (session?.state !== 'established') return [`${where}: the session is ${session?.state}`]
  // What it left at a server that it was sent away from, or came back from, lasts until its lifetime is over.
  const place = serverOf(view, session)
  const standing = (providers[place]?.mitigations() ?? []).filter(({ cuid, state }) => {
    return cuid === own && state !== 'terminating'
  })
  const asked = (status?.requests ?? []).filter((each) => each.server === server.called)
  const missing = asked.flatMap((request) => requestFault(request, standing))
  const unknown = standing.filter(({ mitigationId }) => {
    if (asked.some((request) => request.mitigationId === mitigationId)) return false
    // What an earlier life of the client asked for lasts until its lifetime is over.
    const known = ledger.find(place, `${own}/${mitigationId}`)
    return !known.some(({ life, isDoubtful }) => isDoubtful || life !== customer.life)
  })
  return [
    ...configurationFaults(view, customer, session, place),
    ...missing,
    ...unknown.map(({ mitigationId }) => `mid ${mitigationId} is in force, which the client does not know`)
  ].map((text) => `${where}: ${text}`)
}

/**
 * Of servers that stand in for one another, one is asked and one stands by: with another there need be no session where two
 * of each of its heaps have one, and nothing is asked of it (RFC 9132 §4.7: nobody is contacted for nothing).
 */
function isLeftAlone({ clock, layout }: WorldView, customer: Customer, server: ServerPlan): boolean {
  const { sessions = [], requests = [] } = customer.status() ?? {}
  const isThere = (number: number): boolean => {
    const called = layout.servers[number]?.called
    return sessions.some((each) => each.server === called && each.state === 'established')
  }
  const own = customer.plan.oracle.heaps(clock.now()).filter((heap) => heap.includes(server.number))
  return (
    own.length > 0 &&
    own.every((heap) => heap.filter(isThere).length >= 2) &&
    !requests.some((each) => each.server === server.called)
  )
}

/**
 * RFC 9132 §4.5: both ends go by what the client wants, as far as its transport has it negotiated. In an attack a session that
 * the server has lost is not given up (§4.7), and then the server goes by what was negotiated over the one beside it.
 */
function configurationFaults(
  { scenario, providers }: WorldView,
  { plan }: Customer,
  { parameters, activity, path, standBy }: SessionReport,
  server: number
): string[] {
  const agreed = agreedConfiguration(scenario)
  const faults: string[] = []
  if (!isSame(parameters, agreed[activity], path?.transport))
    faults.push(
      `the session goes by ${JSON.stringify(parameters)} instead of ${JSON.stringify(agreed[activity])}`
    )
  const asked = standBy?.mode === 'joined' ? [path, standBy.path] : [path]
  const known = providers[server]?.server?.sessions() ?? []
  const own = known.filter(({ domain }) => domain === `site-${plan.number}`)
  const isAgreed = ({ idle, mitigating }: SessionSnapshot): boolean =>
    asked.some(
      (each) =>
        isSame(idle, agreed.idle, each?.transport) && isSame(mitigating, agreed.mitigating, each?.transport)
    )
  if (!own.some(isAgreed)) faults.push('the server goes by another configuration')
  return faults
}

/** A stream negotiates no number of missing heartbeats. */
function isSame(
  one: SessionParameters | undefined,
  other: SessionParameters,
  transport: Transport | undefined
): boolean {
  return (
    one?.heartbeatIntervalSeconds === other.heartbeatIntervalSeconds &&
    (transport === 'tcp' || one.missingHeartbeatsAllowed === other.missingHeartbeatsAllowed)
  )
}

/** Number of the server that a session is with. */
export function serverOf({ providers }: WorldView, { path }: SessionReport): number {
  const found = providers.find(({ plan }) =>
    plan.addresses.some((own) => formatIpAddress(own) === path?.remote)
  )
  return found?.number ?? -1
}

function requestFault(request: RequestReport, standing: readonly MitigationSnapshot[]): string[] {
  const { mitigationId, state, isBeingReplaced } = request
  if (state !== 'in-force' && state !== 'refreshing') return [`mid ${mitigationId} is ${state}`]
  if (isBeingReplaced) return [`mid ${mitigationId} is being replaced`]
  const found = standing.find((each) => each.mitigationId === mitigationId)
  if (found === undefined) return [`mid ${mitigationId} is not at the server`]
  return textOf(found.target) === textOf(request.target)
    ? []
    : [`mid ${mitigationId} has another target there`]
}

function ruleFaults({ number, server, device }: Provider): string[] {
  if (server === undefined) return [`provider ${number} is down`]
  const mitigations = server.mitigations()
  const unsettled = mitigations.filter((each) => !isStandingBy(each) && !isSettled(each))
  const wanted = new Set(
    mitigations
      .filter((each) => !isStandingBy(each))
      .map(({ cuid, mitigationId }) => `${cuid}/${mitigationId}`)
  )
  const inForce = new Set([...device.rules.keys()].map(mitigationOfPlan))
  const inForceTwice = device.rules.size - inForce.size
  return [
    ...unsettled.map(({ cuid, mitigationId, state }) => `${cuid}/${mitigationId} is ${state}`),
    ...[...wanted].filter((key) => !inForce.has(key)).map((key) => `${key} has no rule`),
    ...[...inForce].filter((key) => !wanted.has(key)).map((key) => `the rule of ${key} is left behind`),
    ...(inForceTwice > 0 ? [`${inForceTwice} rules too many`] : [])
  ].map((text) => `provider ${number}: ${text}`)
}

function isSettled({ state }: MitigationSnapshot): boolean {
  return state === 'active' || state === 'terminating'
}

/** Preconfigured, and not in force. */
function isStandingBy({ state }: MitigationSnapshot): boolean {
  return state === 'armed' || state === 'stood-down'
}

function textOf({ prefixes }: Target): string {
  return prefixes
    .map((each) => formatIpPrefix(each))
    .toSorted()
    .join(' ')
}
