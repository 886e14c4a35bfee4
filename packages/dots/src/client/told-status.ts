import { equalPrefixes } from '@breakwater/core'
import type { MissingPart, ProtectionStatus, ServerStanding } from './protection.ts'

/** Whether whoever is told of changes hears the same by both. @param x Undefined: nothing was told yet. */
export function tellsTheSame(x: ProtectionStatus | undefined, y: ProtectionStatus): boolean {
  return (
    x?.state === y.state &&
    x.alarm === y.alarm &&
    areAlike(x.servers, y.servers, isSameStanding) &&
    areAlike(x.missing, y.missing, isSamePart)
  )
}

function areAlike<Item>(
  xs: readonly Item[],
  ys: readonly Item[],
  isSame: (x: Item, y: Item) => boolean
): boolean {
  return xs.length === ys.length && xs.every((x, index) => isSame(x, ys[index] ?? x))
}

function isSameStanding(x: ServerStanding, y: ServerStanding): boolean {
  return (
    x.server === y.server &&
    x.domain === y.domain &&
    x.state === y.state &&
    x.because === y.because &&
    x.text === y.text &&
    areAlike(x.mitigationIds, y.mitigationIds, Object.is) &&
    areAlike(x.prefixes, y.prefixes, equalPrefixes)
  )
}

function isSamePart(x: MissingPart, y: MissingPart): boolean {
  return x.kind === y.kind && x.domain === y.domain && x.server === y.server && x.text === y.text
}
