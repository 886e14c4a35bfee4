import type { DecisionView } from '@breakwater/control'
import { hanging, printable } from './table.ts'

/**
 * Decisions for people, the latest last, where the eye is: when, what, because of what, by what.
 *
 * ```
 * server isp-a
 *   2026-11-28 03:04:05Z  session pausing
 *     because: udp 192.0.2.1 failed: timeout
 *     next try: in 60 s
 * ```
 */
export function decisionLines(decisions: readonly DecisionView[]): string[] {
  const subjects = [...new Set(decisions.map(({ kind, subject }) => `${kind} ${subject}`))]
  return subjects.flatMap((title, index) => {
    const own = decisions.filter(({ kind, subject }) => `${kind} ${subject}` === title)
    return [...(index === 0 ? [] : ['']), printable(title), ...own.flatMap(linesOf)]
  })
}

function linesOf({ at, decision, because, inputs }: DecisionView): string[] {
  const time = at.replace('T', ' ').replace(/(\.\d+)?Z$/, 'Z')
  return [
    ...hanging('  ', `${time}  ${decision}`),
    ...hanging('    ', `because: ${because}`),
    ...Object.entries(inputs).flatMap(([name, text]) => hanging('    ', `${name}: ${text}`))
  ]
}
