import type { Target } from './target.ts'

/** Names one plan at a mitigator; characters A–Z a–z 0–9 . _ ~ - / only, at most 120. */
export type PlanId = string & { readonly __brand: 'PlanId' }

/** Names a plan; the caller keeps to the characters. */
export function PlanId(text: string): PlanId {
  return text as PlanId
}

/** What a mitigator is to do for one mitigation: discard what goes to the target. */
export interface MitigationPlan {
  readonly id: PlanId
  readonly target: Target
  readonly action: 'discard'
}

/** Since the plan was applied by this mitigator. */
export interface DropCounters {
  readonly packets: bigint
  readonly bytes: bigint
}

/**
 * The mitigator port. Every call is asynchronous and may be slow or fail: nobody waits for it on the loop.
 * Rejections are `UnavailableError` (`retryable` says whether trying again may help) and leave the device as it was.
 */
export interface Mitigator {
  /** `nftables`, `dry-run`: for logs and status. */
  readonly name: string
  /** Puts the plan in force. Idempotent: a plan whose id is in force already is replaced, never doubled. */
  apply(plan: MitigationPlan): Promise<void>
  /** Takes a plan out of force. Harmless when it is not in force. */
  withdraw(id: PlanId): Promise<void>
  /** The plans in force on the device itself, also those that an earlier process applied. */
  inForce(): Promise<readonly PlanId[]>
  /** Counters of every plan in force; a plan that is missing here has unknown counters, which is not zero. */
  counters(): Promise<ReadonlyMap<PlanId, DropCounters>>
  /** Lets go of the device; plans stay in force. */
  close(): Promise<void>
}
