import { between, inSeconds, toHex } from '@breakwater/core'
import type { Clock, Entropy } from '@breakwater/core'
import type { ProtectAnswer, ProtectionView, ProtectRequest, SessionView } from '@breakwater/control'
import { ProtectionId } from '@breakwater/dots'
import type { ClientHost, ProtectionStatus, SessionReport } from '@breakwater/dots'
import type { ClientHandlers } from '../control-api/handlers.ts'
import { VERSION } from '../version.ts'
import { planView } from './plan-view.ts'
import type { ProtectionBook } from './protection-book.ts'
import { protectionView } from './protection-view.ts'
import { lifetimeOfRequest, targetOfRequest } from './target-of-request.ts'

export interface ClientHandlerOptions {
  readonly host: ClientHost
  /** Fed with the host's events. */
  readonly book: ProtectionBook
  readonly clock: Clock
  readonly entropy: Entropy
  /** For protections that name no lifetime. */
  readonly lifetimeSeconds: number
}

/** What the control API of a client can be asked. */
export function clientHandlers(options: ClientHandlerOptions): ClientHandlers {
  const { host, book, clock } = options
  const started = clock.now()
  const view = (status: ProtectionStatus, revision: number): ProtectionView =>
    protectionView(status, host.status().requests, revision)
  return {
    agent: () => ({
      role: 'client',
      version: VERSION,
      pid: process.pid,
      uptimeSeconds: inSeconds(between(started, clock.now())),
      listen: []
    }),
    sessions: () => host.status().sessions.map((session) => sessionView(session)),
    counters: () => ({}),
    plan: (request) => planView(host.plan(targetOfRequest(request), placementOptions(request))),
    protect: (request) => protect(request, options),
    protections: () => book.list().map(({ status, revision }) => view(status, revision)),
    protection: (id) => {
      const entry = book.get(id)
      return entry === undefined ? undefined : view(entry.status, entry.revision)
    },
    release: (id) => {
      host.release(ProtectionId(id))
      const entry = book.get(id)
      return entry === undefined ? undefined : view(entry.status, entry.revision)
    },
    onChange: (listener) => book.onChange(listener)
  }
}

function protect(request: ProtectRequest, options: ClientHandlerOptions): ProtectAnswer {
  const { host, book } = options
  const target = targetOfRequest(request)
  const lifetime = lifetimeOfRequest(request.lifetimeSeconds ?? options.lifetimeSeconds)
  const plan = host.plan(target, placementOptions(request))
  if (plan.verdict === 'refused') return { accepted: false, plan: planView(plan) }
  const id = ProtectionId(`p-${toHex(options.entropy.bytes(4))}`)
  const allowPartial = request.allowPartial === true
  const status = host.protect({ id, target, lifetime, allowPartial, require: 'all' })
  const protection = protectionView(status, host.status().requests, book.get(id)?.revision ?? 0)
  return { accepted: true, protection }
}

function placementOptions(request: ProtectRequest): { readonly allowPartial: boolean } {
  return { allowPartial: request.allowPartial === true }
}

function sessionView(session: SessionReport): SessionView {
  const { server, domain, state, text, path, retryInSeconds } = session
  const retry = retryInSeconds === undefined ? '' : `next try in ${Math.max(0, Math.round(retryInSeconds))} s`
  const shown = [text, retry].filter((part) => part !== '').join('; ')
  return {
    peer: server,
    domain,
    state,
    ...(path === undefined ? {} : { local: path.source, remote: remoteText(path.remote, path.port) }),
    ...(path?.interface === undefined ? {} : { interface: path.interface }),
    ...(shown === '' ? {} : { text: shown })
  }
}

function remoteText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
