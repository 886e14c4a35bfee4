import type { PlanView } from '@breakwater/control'
import { hanging } from './table.ts'

/** A plan for people: each part with who is asked and who is not, and why. */
export function planLines({ verdict, parts, refusals, uncovered }: PlanView): string[] {
  return [
    { placed: 'Placed: all of it.', partial: 'Placed in part.', refused: 'Refused.' }[verdict],
    ...parts.flatMap((part) => [
      ...hanging('', `${part.prefixes.join(', ')} is ${part.class}`),
      ...part.asked.flatMap(({ server, text }) => hanging('  ask ', `${server}: ${text}`)),
      ...part.notAsked.flatMap(({ server, text }) => hanging('  not ', `${server}: ${text}`))
    ]),
    ...uncovered.flatMap(({ text }) => hanging('  uncovered ', text)),
    ...refusals.flatMap(({ text }) => hanging('  refused ', text))
  ]
}
