/** What the store's file is going through: taking up what an earlier process left, work, or a stop in good order. */
export type Phase = 'opening' | 'serving' | 'closing'

/** Places between the statements of the writer thread. */
type StatementPlace =
  | 'before-begin'
  | 'after-begin'
  | 'after-statement'
  | 'before-commit'
  /** On stable storage, and nobody knows. */
  | 'after-commit'
  /** The answer is on its way to the signal loop. */
  | 'after-post'
  | 'before-close'
  | 'after-close'

/** System calls on the file and its write-ahead log; `torn`: half of the bytes are written. */
type DiskPlace =
  | 'wal-write'
  | 'wal-write-torn'
  | 'wal-sync'
  | 'wal-synced'
  /** Only a checkpoint writes to the database file itself. */
  | 'db-write'
  | 'db-write-torn'
  | 'db-sync'
  | 'db-synced'
  /** The start leaves an empty log behind, the end none. */
  | 'wal-truncate'
  | 'wal-truncated'
  | 'wal-unlink'
  | 'wal-unlinked'

/** A moment at which the state on the disk or the knowledge of it is another than just before. */
export interface WritePoint {
  readonly phase: Phase
  readonly place: StatementPlace | DiskPlace
  /** The kill is at the n-th passing, n from 1 to this. */
  readonly occurrences: number
}

const passings: Readonly<Record<Phase, number>> = { opening: 1, serving: 12, closing: 1 }

/** Checkpoints are rarer than transactions. */
const checkpointPassings = 4

function point(phase: Phase, place: WritePoint['place']): WritePoint {
  const isRare = phase === 'serving' && place.startsWith('db-')
  return { phase, place, occurrences: isRare ? checkpointPassings : passings[phase] }
}

/** All write points. An opening writes only when the kill before it left transactions in the log: hence the pairs. */
export const writePoints: readonly WritePoint[] = [
  point('serving', 'before-begin'),
  point('opening', 'before-begin'),
  point('serving', 'after-begin'),
  point('opening', 'after-begin'),
  point('serving', 'after-statement'),
  point('opening', 'before-commit'),
  point('serving', 'before-commit'),
  point('opening', 'after-commit'),
  point('serving', 'wal-write'),
  point('serving', 'wal-write-torn'),
  point('serving', 'wal-sync'),
  point('serving', 'after-commit'),
  point('opening', 'wal-sync'),
  point('serving', 'after-post'),
  point('opening', 'wal-synced'),
  point('serving', 'wal-synced'),
  point('opening', 'db-write'),
  point('serving', 'db-write'),
  point('opening', 'db-write-torn'),
  point('serving', 'db-write-torn'),
  point('opening', 'db-sync'),
  point('serving', 'db-sync'),
  point('opening', 'db-synced'),
  point('serving', 'db-synced'),
  point('opening', 'wal-truncate'),
  point('closing', 'db-write'),
  point('opening', 'wal-truncated'),
  point('closing', 'before-close'),
  point('closing', 'db-write-torn'),
  point('closing', 'db-sync'),
  point('closing', 'db-synced'),
  point('closing', 'wal-unlink'),
  point('closing', 'wal-unlinked'),
  point('closing', 'after-close')
]

/**
 * Those of a server that shares the store: another one has the file, so it checks nothing at the start, and neither empties nor
 * removes the log.
 */
export const sharedWritePoints: readonly WritePoint[] = [
  ...writePoints.filter(({ phase }) => phase === 'serving'),
  point('opening', 'before-begin'),
  point('opening', 'after-begin'),
  point('opening', 'before-commit'),
  point('opening', 'after-commit'),
  point('closing', 'before-close'),
  point('closing', 'after-close')
]

/** `serving/after-commit`. */
export function nameOf({ phase, place }: WritePoint): string {
  return `${phase}/${place}`
}
