/**
 * One rule of RFC 6724: negative when `x` is preferred, positive when `y` is, 0 for a tie. The ties of each rule are
 * transitive, lest a list of rules order nothing.
 */
export type Rule<Subject, Context> = (x: Subject, y: Subject, context: Context) => number

/** Prefers whichever has it. */
export function preferWith(hasX: boolean, hasY: boolean): number {
  return Number(hasY) - Number(hasX)
}

/** RFC 6724 §5: a tie goes to the next rule; what a rule has decided, no later one changes. */
export function firstDecision<Subject, Context>(
  rules: readonly Rule<Subject, Context>[]
): Rule<Subject, Context> {
  return (x, y, context) => {
    for (const rule of rules) {
      const decision = rule(x, y, context)
      if (decision !== 0) return decision
    }
    return 0
  }
}
