import type { DecisionsView } from '@breakwater/control'
import type { DatedDecision } from '@breakwater/dots'

/** Decisions as the control API shows them; undefined: nothing is known of what was asked for. */
export function decisionsView(decisions: readonly DatedDecision[]): DecisionsView | undefined {
  if (decisions.length === 0) return undefined
  return {
    decisions: decisions.map(({ at, subject, decision, because, inputs }) => {
      const { kind, name } = subject
      return { at: new Date(at).toISOString(), kind, subject: name, decision, because, inputs: { ...inputs } }
    })
  }
}
