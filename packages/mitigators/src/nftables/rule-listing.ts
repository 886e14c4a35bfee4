import type { DropCounters, PlanId } from '@breakwater/dots'

/** What the kernel holds for one plan: the handles of its rules and the sum of their counters. */
export interface ListedPlan {
  readonly handles: readonly number[]
  readonly counters: DropCounters
}

interface ListedRule {
  readonly handle?: number
  readonly comment?: string
  readonly expr?: readonly {
    readonly counter?: { readonly packets: number; readonly bytes: number } | null
  }[]
}

/**
 * Reads our rules out of what nft lists or echoes, by the plan id in each rule's comment. Rules without a comment are
 * somebody else's and are left out.
 */
export function plansInListing(objects: readonly unknown[]): Map<PlanId, ListedPlan> {
  const plans = new Map<PlanId, ListedPlan>()
  for (const object of objects) {
    const rule = ruleIn(object)
    if (rule?.handle === undefined || rule.comment === undefined) continue
    const id = rule.comment as PlanId
    const before = plans.get(id) ?? { handles: [], counters: { packets: 0n, bytes: 0n } }
    plans.set(id, {
      handles: [...before.handles, rule.handle],
      counters: sum(before.counters, countersOf(rule))
    })
  }
  return plans
}

/** A listing has `{rule}`, an echo has `{add: {rule}}`. */
function ruleIn(object: unknown): ListedRule | undefined {
  const { rule, add } = object as { rule?: ListedRule; add?: { rule?: ListedRule } }
  return rule ?? add?.rule
}

function countersOf(rule: ListedRule): DropCounters {
  const counter = rule.expr?.find((expression) => typeof expression.counter === 'object')?.counter
  return { packets: BigInt(counter?.packets ?? 0), bytes: BigInt(counter?.bytes ?? 0) }
}

function sum(a: DropCounters, b: DropCounters): DropCounters {
  return { packets: a.packets + b.packets, bytes: a.bytes + b.bytes }
}
