import { DecodeError, between, inSeconds, toHex } from '@breakwater/core'
import type { Clock, Counters, Entropy } from '@breakwater/core'
import type {
  PlanRequest,
  PlanView,
  ProtectAnswer,
  ProtectionView,
  ProtectRequest
} from '@breakwater/control'
import { ProtectionId } from '@breakwater/dots'
import type { AskingPolicy, ClientHost, ProtectionStatus, Requirement } from '@breakwater/dots'
import type { ClientHandlers } from '../control-api/handlers.ts'
import { VERSION } from '../version.ts'
import { pathsView } from './paths-view.ts'
import { planView } from './plan-view.ts'
import { decisionsView } from './decisions-view.ts'
import { domainsView } from './domains-view.ts'
import type { ProtectionArchive } from './protection-archive.ts'
import type { ProtectionBook } from './protection-book.ts'
import { protectionView } from './protection-view.ts'
import type { Provisioning } from './provisioning.ts'
import { checkAliases, whenResolved } from './protect-named.ts'
import { wantedOfRequest, withoutUserInfo } from './target-of-request.ts'
import { sessionView } from './session-view.ts'
import { protectionOf } from './wanted-protection.ts'

/** What the answers are made of. */
export interface ClientHandlerOptions {
  readonly host: ClientHost
  /** Fed with the host's events. */
  readonly book: ProtectionBook
  readonly clock: Clock
  readonly entropy: Entropy
  readonly provisioning: Provisioning
  /** Of the sessions that came about. */
  readonly endpointCounters: Counters
  /** Undefined: protections are forgotten at a restart. */
  readonly archive: ProtectionArchive | undefined
  /** For protections that name no lifetime. */
  readonly lifetimeSeconds: number
  /** For protections that do not say what they require. */
  readonly require: Requirement
  /** For those that do not say which servers are to be asked about prefixes of the site's own. */
  readonly policy: AskingPolicy
}

/** What the control API of a client can be asked. */
export function clientHandlers(options: ClientHandlerOptions): ClientHandlers {
  const { host, book, clock } = options
  const started = clock.now()
  const view = (status: ProtectionStatus, revision: number): ProtectionView =>
    protectionView(status, host.status().requests, revision, clock.now())
  return {
    agent: () => ({
      role: 'client',
      version: VERSION,
      pid: process.pid,
      uptimeSeconds: inSeconds(between(started, clock.now())),
      listen: []
    }),
    sessions: () => {
      const { sessions, requests } = host.status()
      return sessions.map((session) => sessionView(session, requests))
    },
    counters: () => ({
      ...host.loads(),
      ...options.endpointCounters.snapshot(),
      ...options.provisioning.counters.snapshot()
    }),
    decisions: (name) => decisionsView(host.why(name)),
    domains: () => domainsView(options.provisioning.report()),
    paths: () => pathsView(host.paths()),
    plan: (request) => plan(request, options),
    protect: (request) => protect(request, options),
    protections: () => book.list().map(({ status, revision }) => view(status, revision)),
    protection: (id) => {
      const entry = book.get(id)
      return entry === undefined ? undefined : view(entry.status, entry.revision)
    },
    release: async (id) => {
      if (host.release(ProtectionId(id)) !== undefined) await options.archive?.forget(ProtectionId(id))
      const entry = book.get(id)
      return entry === undefined ? undefined : view(entry.status, entry.revision)
    },
    updateEfficacy: (id, { attackStatus }) => {
      host.updateEfficacy(ProtectionId(id), attackStatus)
      const entry = book.get(id)
      return entry === undefined ? undefined : view(entry.status, entry.revision)
    },
    onChange: (listener) => book.onChange(listener)
  }
}

async function plan(request: PlanRequest, options: ClientHandlerOptions): Promise<PlanView> {
  const { host, clock } = options
  const wanted = wantedOfRequest(request)
  checkAliases(wanted, host)
  const isOffline = request.offline === true
  if (isOffline && host.namesOf(wanted).length > 0)
    throw new DecodeError(
      'CONTROL_NAMES_OFFLINE',
      'what a name means is not known offline: plan its addresses'
    )
  const { allowPartial = false, policy = options.policy } = request
  const choices = { allowPartial, policy }
  return planView(await host.planWanted(wanted, choices, !isOffline), clock.now())
}

async function protect(request: ProtectRequest, options: ClientHandlerOptions): Promise<ProtectAnswer> {
  const { host, book, archive, clock } = options
  const { lifetimeSeconds = options.lifetimeSeconds, require = options.require } = request
  const { allowPartial = false, policy = options.policy } = request
  const choices = { allowPartial, policy }
  const lasting = {
    id: ProtectionId(`p-${toHex(options.entropy.bytes(4))}`),
    request: {
      ...request,
      ...(request.uris === undefined ? {} : { uris: request.uris.map(withoutUserInfo) }),
      lifetimeSeconds,
      require,
      policy
    }
  }
  const wanted = protectionOf(lasting)
  checkAliases(wanted, host)
  const known = await host.planWanted(wanted, choices, false)
  if (known.verdict === 'refused') return { accepted: false, plan: planView(known, clock.now()) }
  const first = host.protect(wanted)
  // The servers are being asked already: the disk delays the answer to the operator, and nothing else.
  await Promise.all([archive?.remember(lasting), whenResolved(wanted.id, options)])
  const { status, revision } = book.get(wanted.id) ?? { status: first, revision: 0 }
  if (wanted.named !== undefined && status.state === 'refused' && status.servers.length === 0) {
    // What its names mean is nothing that anybody may be asked for.
    const found = await host.planWanted(wanted, choices, false)
    host.release(wanted.id)
    await archive?.forget(wanted.id)
    return { accepted: false, plan: planView(found, clock.now()) }
  }
  return { accepted: true, protection: protectionView(status, host.status().requests, revision, clock.now()) }
}
