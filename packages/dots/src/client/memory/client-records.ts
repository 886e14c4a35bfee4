import { BreakwaterError } from '@breakwater/core'
import { ServerName } from '../../domain/identifier.ts'
import type { ProtectionId } from '../../domain/identifier.ts'
import type { RecordChange, StoredRecord } from '../../domain/record-store.ts'
import type { ClientRecords } from '../client-io.ts'
import type { RequestBookOutput } from '../requests/request-ledger.ts'
import {
  decodeNumbering,
  decodeRequest,
  encodeNumbering,
  encodeRequest,
  parseRequestKey,
  requestKey
} from '../requests/request-record.ts'
import type { NumberingRecord, RequestRecord } from '../requests/request-record.ts'

/** Collections of the record store that a client keeps its requests in. */
export const REQUESTS = 'requests'
export const NUMBERINGS = 'numberings'

/** What an earlier life left of one server. */
export interface ServerLegacy {
  readonly numbering: NumberingRecord
  readonly records: readonly RequestRecord[]
}

/** The change of the store that a note asks for. */
export function changeFor(
  server: ServerName,
  note: Extract<RequestBookOutput, { kind: 'note-request' | 'note-numbering' }>
): RecordChange {
  if (note.kind === 'note-numbering')
    return { kind: 'put', collection: NUMBERINGS, key: server, value: encodeNumbering(note.record) }
  const key = requestKey(server, note.mitigationId)
  return note.record === undefined
    ? { kind: 'delete', collection: REQUESTS, key }
    : { kind: 'put', collection: REQUESTS, key, value: encodeRequest(note.record) }
}

/**
 * Reads what an earlier life left. A request whose server's numbering is lost is not taken up, for nobody can say under
 * which cuid it was made.
 * @param onDamaged Told of every record that is none.
 */
export function readLegacy(
  { requests, numberings }: ClientRecords,
  onDamaged: (key: string, reason: string) => void
): ReadonlyMap<ServerName, ServerLegacy> {
  const found = new Map<ServerName, { numbering: NumberingRecord; records: RequestRecord[] }>()
  for (const { key, value } of numberings)
    tryToRead(key, onDamaged, () =>
      found.set(ServerName(key), { numbering: decodeNumbering(value), records: [] })
    )
  for (const record of requests) tryToRead(record.key, onDamaged, () => assign(record, found, onDamaged))
  return found
}

/** Protections that an earlier life asked somebody for. */
export function protectionsIn(legacies: ReadonlyMap<ServerName, ServerLegacy>): ReadonlySet<ProtectionId> {
  const records = [...legacies.values()].flatMap((legacy) => legacy.records)
  return new Set(records.flatMap(({ protections }) => protections))
}

function assign(
  { key, value }: StoredRecord,
  found: ReadonlyMap<ServerName, { readonly records: RequestRecord[] }>,
  onDamaged: (key: string, reason: string) => void
): void {
  const { server, id } = parseRequestKey(key)
  const record = decodeRequest(id, value)
  const legacy = found.get(server)
  if (legacy === undefined) onDamaged(key, 'nothing is known of the ids of this server')
  else legacy.records.push(record)
}

function tryToRead(key: string, onDamaged: (key: string, reason: string) => void, read: () => void): void {
  try {
    read()
  } catch (error) {
    if (!(error instanceof BreakwaterError)) throw error
    onDamaged(key, error.message)
  }
}
