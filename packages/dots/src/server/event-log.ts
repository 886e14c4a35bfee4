import type { Log } from '@breakwater/core'
import type { RequestEvent, ServerEvent } from './event.ts'

/** Writes an event to the log, at the level that says whether somebody has to look at it. */
export function logEvent(log: Log, event: ServerEvent): void {
  switch (event.kind) {
    case 'session-established':
      log.info('session.established', {
        peer: event.peer,
        identity: event.identity,
        domain: event.domain,
        transport: event.transport,
        interface: event.path.interface
      })
      return
    case 'session-closed':
      log.info('session.closed', { peer: event.peer, reason: event.reason })
      return
    case 'request':
      if (!isWorthALine(event)) return
      log.info('request.answered', {
        identity: event.identity,
        domain: event.domain,
        method: event.method,
        cuid: event.cuid,
        mitigationId: event.mitigationId,
        targets: event.targets,
        attackStatus: event.attackStatus,
        outcome: event.outcome,
        answer: event.answer,
        problem: event.problem,
        idleCount: event.idleCount
      })
      return
    case 'mitigation-changed':
      log.info(`mitigation.${event.to}`, {
        cuid: event.cuid,
        mitigationId: event.mitigationId,
        domain: event.domain,
        from: event.from,
        reason: event.reason
      })
      return
    case 'resumed':
      log.info('server.resumed', { mitigations: event.mitigations, expired: event.expired })
      return
    case 'signal-lost':
    case 'name-failed':
    case 'name-foreign':
    case 'redirection-changed':
    case 'record-damaged':
    case 'mitigator-failed':
    case 'store-failed':
    case 'orphan-withdrawn':
    case 'lead-changed':
    case 'plan-lost':
    case 'heartbeat':
    case 'configuration-stale':
    case 'stream-ended':
    case 'malformed':
      logTrouble(log, event)
  }
}

/** Of what changes nothing, the 1st, 2nd, 4th, 8th … of a session: a peer must not fill our log. */
function isWorthALine({ idleCount = 1 }: RequestEvent): boolean {
  return (idleCount & (idleCount - 1)) === 0
}

type Trouble = Exclude<
  ServerEvent,
  { kind: 'session-established' | 'session-closed' | 'request' | 'mitigation-changed' | 'resumed' }
>

function logTrouble(log: Log, event: Trouble): void {
  switch (event.kind) {
    case 'record-damaged':
      log.error('record.damaged', { record: event.key, reason: event.reason })
      return
    case 'mitigator-failed':
      log.error('mitigator.failed', {
        operation: event.operation,
        plan: event.plan,
        code: event.code,
        message: event.message,
        retryInSeconds: event.retryInSeconds
      })
      return
    case 'store-failed':
      log.error('store.failed', { code: event.code, message: event.message })
      return
    case 'signal-lost':
      log.warn('signal.lost', { identity: event.client, mitigations: event.mitigations })
      return
    case 'name-failed':
      log.warn('name.failed', { name: event.name, message: event.message })
      return
    case 'name-foreign':
      log.warn('name.foreign', {
        cuid: event.cuid,
        mitigationId: event.mitigationId,
        prefixes: event.prefixes
      })
      return
    case 'redirection-changed':
      log.info('redirection.changed', { to: event.to, clients: event.clients })
      return
    case 'orphan-withdrawn':
      log.warn('mitigator.orphan-withdrawn', { plan: event.plan })
      return
    case 'lead-changed':
      if (event.leads) log.info('server.leads', {})
      else log.info('server.follows', {})
      return
    case 'plan-lost':
      log.error('mitigator.plan-lost', { plan: event.plan })
      return
    case 'heartbeat':
      log.warn(`heartbeat.${event.state}`, { peer: event.peer, identity: event.identity })
      return
    case 'configuration-stale':
      log.warn('session.configuration-stale', {
        peer: event.peer,
        identity: event.identity,
        closed: event.closed
      })
      return
    case 'stream-ended':
      log.info('session.stream-ended', {
        peer: event.peer,
        identity: event.identity,
        reason: event.reason,
        diagnostic: event.diagnostic
      })
      return
    case 'malformed':
      log.warn('datagram.malformed', {
        peer: event.peer,
        identity: event.identity,
        code: event.code,
        message: event.message,
        count: event.count
      })
  }
}
