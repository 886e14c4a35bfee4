import type { ProtectionView, RequestView } from '@breakwater/control'
import { nameLines } from './name-lines.ts'
import { hanging, table } from './table.ts'
import { countText, durationText, targetText } from './words.ts'

/** A protection for people: its state, then one row per server. */
export function protectionLines(protection: ProtectionView): string[] {
  const {
    id,
    state,
    target,
    named,
    names = [],
    requests,
    alarm,
    disagreement = [],
    policy = 'all'
  } = protection
  return [
    ...hanging('', `${id}: ${state.replace('-', ' ')}, ${targetText(target, named)}`),
    ...nameLines(names, '  '),
    ...table(
      ['SERVER', 'STATE', 'TARGET', 'WHAT THE SERVER SAYS'],
      requests.map((request) => [
        request.server,
        request.state,
        request.prefixes.join(' '),
        requestText(request)
      ]),
      2
    ),
    ...(policy === 'all'
      ? []
      : [`  policy ${policy}: not every server is asked about prefixes of the site's own`]),
    ...missingLines(protection),
    ...disagreement.flatMap(({ server, says }) => hanging('  disagreement: ', `${server} says: ${says}`)),
    ...(alarm === true ? ['  alarm: more is missing than this protection allows'] : [])
  ]
}

/** Of what kind each is stands before it; an older agent does not say. */
function missingLines({ missing, missingParts }: ProtectionView): string[] {
  return missing.flatMap((text, index) => {
    const kind = missingParts?.[index]?.kind
    return hanging('  missing: ', kind === undefined ? text : `${text} (${kind})`)
  })
}

/** What became of one request, in one sentence. */
export function requestText(request: RequestView): string {
  const { text, status, remainingLifetimeSeconds: left, droppedPackets, droppedBytes } = request
  return [
    status ?? text,
    left === undefined ? undefined : left < 0 ? 'indefinite' : `${durationText(left)} left`,
    droppedPackets === undefined ? undefined : `${countText(droppedPackets)} packets dropped`,
    droppedBytes === undefined ? undefined : `${countText(droppedBytes)} bytes dropped`
  ]
    .filter((part) => part !== undefined && part !== '')
    .join(', ')
}
