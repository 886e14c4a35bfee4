import type { ProtectionView, RequestView } from '@breakwater/control'
import { nameLines } from './name-lines.ts'
import { hanging, table } from './table.ts'
import { countText, durationText, targetText } from './words.ts'

/** A protection for people: its state, then one row per server. */
export function protectionLines(protection: ProtectionView): string[] {
  const { id, state, target, named, names = [], requests, missing, alarm } = protection
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
    ...missing.flatMap((text) => hanging('  missing: ', text)),
    ...(alarm === true ? ['  alarm: more is missing than this protection allows'] : [])
  ]
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
