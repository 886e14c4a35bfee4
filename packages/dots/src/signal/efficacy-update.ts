import { Code } from '@breakwater/coap'
import { AttackStatusCode } from '@breakwater/model'
import type { SignalMessage } from '@breakwater/model'
import type { Target } from '../domain/target.ts'
import { mitigationRequestBody } from './mapper.ts'
import { parseLifetime } from './lifetime.ts'
import type { Lifetime } from './lifetime.ts'
import { accepted, refused } from './problem.ts'
import type { Checked } from './problem.ts'
import { checkForm, checkTarget, singleScope } from './request-check.ts'
import type { RequestedTarget } from '../domain/requested-target.ts'

/** What the client sees of the attack (RFC 9132 §4.4.3, Table 4). */
export type AttackStatus = 'under-attack' | 'mitigated'

/** The body of an efficacy update: all of the request, and the status (RFC 9132 §4.4.3). */
export function efficacyUpdateBody(
  target: Target,
  lifetime: Lifetime,
  attackStatus: AttackStatus
): SignalMessage {
  const [scope] = mitigationRequestBody(target, lifetime).mitigationScope?.scope ?? []
  return { mitigationScope: { scope: [{ ...scope, attackStatus: STATUS_CODES[attackStatus] }] } }
}

const STATUS_CODES: Readonly<Record<AttackStatus, number>> = {
  'under-attack': AttackStatusCode.underAttack,
  mitigated: AttackStatusCode.attackSuccessfullyMitigated
}

/** What a client says of the mitigation that it asked for (RFC 9132 §4.4.3). */
export interface EfficacyUpdate {
  readonly target: RequestedTarget
  readonly trigger: 'immediate' | 'signal-loss'
  /** Undefined: as long as it has. The example of the RFC (Figure 16) names none. */
  readonly lifetime: Lifetime | undefined
  /** `AttackStatusCode` of the model. */
  readonly attackStatus: number
}

/**
 * Checks the body of an efficacy update (RFC 9132 §4.4.3): the first problem, or the update. Whether it repeats what was
 * asked for is for the owner of the mitigation to say.
 */
export function checkEfficacyUpdate(message: SignalMessage): Checked<EfficacyUpdate> {
  const entry = singleScope(message)
  if (!entry.ok) return entry
  const scope = entry.value
  const problem = checkForm(scope)
  if (problem !== undefined) return problem
  const { attackStatus } = scope
  if (attackStatus === undefined)
    return refused(
      'DOTS_SIGNAL_ATTACK_STATUS_MISSING',
      Code.badRequest,
      'an update under If-Match needs an attack-status (scope[0].attack-status)'
    )
  const lifetime = scope.lifetime === undefined ? undefined : parseLifetime(scope.lifetime)
  if (lifetime?.ok === false) return lifetime
  const target = checkTarget(scope)
  if (!target.ok) return target
  const trigger = scope.triggerMitigation === false ? 'signal-loss' : 'immediate'
  return accepted({ target: target.value, lifetime: lifetime?.value, trigger, attackStatus })
}
