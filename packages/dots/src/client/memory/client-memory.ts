import { BreakwaterError, Seconds, after } from '@breakwater/core'
import type { Clock, Duration, Log } from '@breakwater/core'
import { ServerName } from '../../domain/identifier.ts'
import type { RecordChange, StoredRecord } from '../../domain/record-store.ts'
import type { ClientInput } from '../client-io.ts'
import { NAMES } from '../names/name-record.ts'
import { NUMBERINGS, REQUESTS } from './client-records.ts'
import { LOCATIONS, locationsOf } from '../location/location-record.ts'
import type { Notebook } from './notebook.ts'
import type { RememberedOutcomes } from '../connection/outcome-memory.ts'
import { decodeOutcomes, encodeOutcomes } from '../connection/outcome-record.ts'
import type { ProtectionRequest } from '../protection.ts'

const OUTCOMES = 'path-outcomes'

/** A disk that is slower than this does not keep us from asking for protection. */
const PATIENCE: Duration = Seconds(1)

export interface MemoryPorts {
  readonly clock: Clock
  readonly log: Log
  readonly notebook?: Notebook
  readonly protections?: readonly ProtectionRequest[]
}

/**
 * Starts a client with what an earlier life left: at once where nothing is remembered, else when it has been read and the
 * ids of this life are on stable storage, for an id must not be used before (RFC 9132 §4.4.1.1: they only grow).
 */
export async function begin(ports: MemoryPorts, feed: (input: ClientInput) => void): Promise<void> {
  const { clock, log, notebook, protections = [] } = ports
  if (notebook === undefined) {
    feed({ kind: 'clock', wallClock: clock.wallClock() })
    for (const request of protections) feed({ kind: 'protect', request })
    feed({ kind: 'start', wallClock: clock.wallClock() })
    return
  }
  const [requests, numberings, outcomes, names, locations] = await Promise.all(
    [REQUESTS, NUMBERINGS, OUTCOMES, NAMES, LOCATIONS].map((collection) => load(notebook, collection, log))
  )
  feed({ kind: 'remembered', outcomes: outcomesOf(outcomes ?? []) })
  feed({ kind: 'locations', locations: locationsOf(locations ?? []) })
  const records = { requests: requests ?? [], numberings: numberings ?? [], names: names ?? [] }
  feed({ kind: 'resume', wallClock: clock.wallClock(), records, protections })
  await within(PATIENCE, clock, notebook.settled())
  feed({ kind: 'start', wallClock: clock.wallClock() })
}

/** What is to be stored of the paths to a server. */
export function outcomesChange(server: ServerName, outcomes: RememberedOutcomes | undefined): RecordChange {
  return outcomes === undefined
    ? { kind: 'delete', collection: OUTCOMES, key: server }
    : { kind: 'put', collection: OUTCOMES, key: server, value: encodeOutcomes(outcomes) }
}

function outcomesOf(records: readonly StoredRecord[]): ReadonlyMap<ServerName, RememberedOutcomes> {
  return new Map(
    records.flatMap(({ key, value }) => {
      const outcomes = decodeOutcomes(value)
      return outcomes === undefined ? [] : [[ServerName(key), outcomes]]
    })
  )
}

/** A store that cannot be read costs the memory, and nothing else: protection goes before bookkeeping. */
async function load(notebook: Notebook, collection: string, log: Log): Promise<readonly StoredRecord[]> {
  try {
    return await notebook.load(collection)
  } catch (error) {
    if (!(error instanceof BreakwaterError)) throw error
    log.error('memory.unreadable', { collection, reason: error.message })
    return []
  }
}

function within(patience: Duration, clock: Clock, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.schedule(after(clock.now(), patience), resolve)
    void work.finally(() => {
      timer.cancel()
      resolve()
    })
  })
}
