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
  | 'wal-unlink'
  | 'wal-unlinked'

/** A moment at which the state on the disk or the knowledge of it is another than just before. */
export interface WritePoint {
  readonly phase: Phase
  readonly place: StatementPlace | DiskPlace
  /** The kill is at the n-th passing, n from 1 to this. */
  readonly occurrences: number
}

function points(phase: Phase, occurrences: number, places: readonly WritePoint['place'][]): WritePoint[] {
  return places.map((place) => ({ phase, place, occurrences }))
}

const diskPlaces: readonly DiskPlace[] = ['wal-write', 'wal-write-torn', 'wal-sync', 'wal-synced']
const checkpointPlaces: readonly DiskPlace[] = ['db-write', 'db-write-torn', 'db-sync', 'db-synced']

/** All write points, in the order of a life. */
export const writePoints: readonly WritePoint[] = [
  ...points('opening', 1, ['before-begin', 'after-begin', 'before-commit', 'after-commit']),
  ...points('opening', 1, [...diskPlaces, ...checkpointPlaces]),
  ...points('serving', 12, ['before-begin', 'after-begin', 'after-statement', 'before-commit']),
  ...points('serving', 12, ['after-commit', 'after-post', ...diskPlaces]),
  ...points('serving', 4, checkpointPlaces),
  ...points('closing', 1, ['before-close', ...checkpointPlaces]),
  ...points('closing', 1, ['wal-unlink', 'wal-unlinked', 'after-close'])
]

/** `serving/after-commit`. */
export function nameOf({ phase, place }: WritePoint): string {
  return `${phase}/${place}`
}
