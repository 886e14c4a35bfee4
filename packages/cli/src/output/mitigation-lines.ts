import type { MitigationView } from '@breakwater/control'
import { table } from './table.ts'
import { countText, durationText, targetText } from './words.ts'

/** Mitigations of a server for people. */
export function mitigationLines(mitigations: readonly MitigationView[]): string[] {
  if (mitigations.length === 0) return ['no mitigations']
  const rows = mitigations.map((mitigation) => [
    mitigation.client,
    String(mitigation.mitigationId),
    mitigation.state,
    durationText(mitigation.remainingLifetimeSeconds),
    mitigation.droppedPackets === undefined ? '?' : countText(mitigation.droppedPackets),
    targetText(mitigation.target)
  ])
  return table(['CLIENT', 'ID', 'STATE', 'LEFT', 'DROPPED', 'TARGET'], rows)
}
