import { AttackStatusCode } from '@breakwater/model'
import type { RequestEvent } from '@breakwater/dots'
import type { AuditEntry } from './audit-trail.ts'

/** What the audit trail keeps of a request; undefined for those that are about no mitigation. */
export function auditEntryOf(
  event: RequestEvent,
  time: Date,
  remote: string | undefined
): AuditEntry | undefined {
  if (event.path.startsWith('/.well-known/dots/config')) return undefined
  if (event.outcome === 'limited' && !isWorthALine(event)) return undefined
  // Reading changes nothing, and an observing client reads for hours.
  if (event.method !== 'PUT' && event.method !== 'DELETE') return undefined
  const { identity, domain, method, cuid, mitigationId, targets, outcome, answer, problem, diagnostic } =
    event
  return {
    time: time.toISOString(),
    identity,
    ...(domain === undefined ? {} : { client: domain }),
    ...(remote === undefined ? {} : { remote }),
    method,
    ...(cuid === undefined ? {} : { cuid }),
    ...(mitigationId === undefined ? {} : { mitigationId }),
    targets: targets.filter((text) => !isNarrowing(text)),
    ...(targets.some((text) => isNarrowing(text))
      ? { narrowedTo: targets.filter((text) => isNarrowing(text)) }
      : {}),
    ...(event.attackStatus === undefined ? {} : { attackStatus: attackStatusText(event.attackStatus) }),
    outcome,
    answer,
    ...(problem === undefined ? {} : { problem }),
    ...(diagnostic === undefined ? {} : { diagnostic })
  }
}

/** Of what came too fast, the 1st, 2nd, 4th, 8th …: a client must not fill our disk. */
function isWorthALine({ idleCount = 1 }: RequestEvent): boolean {
  return (idleCount & (idleCount - 1)) === 0
}

/** The names of RFC 9132 §4.4.3, Table 4. */
function attackStatusText(code: number): string {
  return code === AttackStatusCode.underAttack ? 'under-attack' : 'attack-successfully-mitigated'
}

/** Ports and protocols stand beside the targets: by themselves they are none. */
function isNarrowing(text: string): boolean {
  return /^(?:port|protocol)s? /.test(text)
}
