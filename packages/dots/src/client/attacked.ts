import { MitigationStatusCode } from '@breakwater/model'
import type { Association } from './association.ts'
import type { Protection } from './protection.ts'
import type { BookedRequest } from './requests/booked-request.ts'

/** Whether an attack is on against what a protection is for: the operator says so, or else a server. */
export function isAttackedAt(associations: readonly Association[]): (protection: Protection) => boolean {
  const reported = new Set(
    associations.flatMap(({ requests }) =>
      requests.filter(isFighting).flatMap(({ protections }) => protections)
    )
  )
  return ({ request, attackStatus }) =>
    attackStatus === undefined ? reported.has(request.id) : attackStatus === 'under-attack'
}

/** The server has something to do. */
function isFighting({ report }: BookedRequest): boolean {
  if (report === undefined || report.status === MitigationStatusCode.attackStopped) return false
  const { attackSuccessfullyMitigated, attackExceededCapability } = MitigationStatusCode
  const isSaid = report.status === attackSuccessfullyMitigated || report.status === attackExceededCapability
  return isSaid || (report.packetsDropped ?? 0n) > 0n || (report.bytesDropped ?? 0n) > 0n
}
