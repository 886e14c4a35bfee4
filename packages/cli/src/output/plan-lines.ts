import type { PlanView } from '@breakwater/control'
import { nameLines } from './name-lines.ts'
import { hanging } from './table.ts'

const VERDICTS = {
  placed: 'Placed: all of it.',
  partial: 'Placed in part.',
  waiting: 'Waiting.',
  refused: 'Refused.'
} as const

/** A plan for people: each part with who is asked and who is not, and why. */
export function planLines(plan: PlanView): string[] {
  const {
    verdict,
    names = [],
    parts,
    preconfigured = [],
    warnings = [],
    refusals,
    uncovered,
    waiting,
    translated
  } = plan
  return [
    VERDICTS[verdict],
    ...nameLines(names, ''),
    ...translated.flatMap(({ domain, internal, external }) =>
      hanging('', `${internal} is ${external} outside, by ${domain}`)
    ),
    ...parts.flatMap((part) => [
      ...hanging('', `${part.prefixes.join(', ')} is ${part.class}`),
      ...part.asked.flatMap(({ server, text }) => hanging('  ask ', `${server}: ${text}`)),
      ...(part.deviation === undefined ? [] : hanging('  deviation ', part.deviation.text)),
      ...part.notAsked.flatMap(({ server, text }) => hanging('  not ', `${server}: ${text}`))
    ]),
    ...preconfigured.flatMap(({ domain, prefixes, servers, text }) =>
      hanging(
        servers.length === 0 ? '  refused ' : '  ',
        `preconfigured ${prefixes.join(', ')} of ${domain}: ${text}`
      )
    ),
    ...warnings.flatMap(({ text }) => hanging('  warning ', text)),
    ...uncovered.flatMap(({ text }) => hanging('  uncovered ', text)),
    ...waiting.flatMap(({ text }) => hanging('  waiting ', text)),
    ...refusals.flatMap(({ text }) => hanging('  refused ', text))
  ]
}
