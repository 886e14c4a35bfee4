// The writer thread: it alone touches the file, so that nobody on the signal loop ever waits for a disk.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'

import type { ChangesOfOthers } from '@breakwater/dots'

import { RecordDatabase, isBusy } from './database.ts'
import type { AsOf, Question, Result, WriterAnswer, WriterOptions, WriterRequest } from './protocol.ts'

/** Commits that one transaction takes in at most: bounds how long the first of them waits for the last. */
const groupLimit = 512

type Commit = Extract<WriterRequest, { kind: 'commit' }>

const port = parentPort
if (port === null) throw new Error('the writer runs as a worker thread only')

function tell(answer: WriterAnswer): void {
  port?.postMessage(answer)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Group commit: all that waits shares one synchronisation of the disk. */
function commitGroup(database: RecordDatabase, group: readonly Commit[]): void {
  try {
    const outdated = database.transact(() => applyAll(database, group))
    tellOutcomes(group, outdated)
  } catch (error) {
    const [only] = group
    // One of them may be at fault for all: each gets a transaction of its own. Not where all would only wait once more.
    if (group.length > 1 && !isBusy(error)) for (const request of group) commitGroup(database, [request])
    else if (only !== undefined) for (const { id } of group) fail(id, error)
  }
}

/** @returns of those that were decided without what others did meanwhile, and were not applied, what that is. */
function applyAll(database: RecordDatabase, group: readonly Commit[]): Map<number, ChangesOfOthers> {
  const outdated = new Map<number, ChangesOfOthers>()
  // Many were decided on the same: what they have not seen is read once.
  const bySeen = new Map<string, ChangesOfOthers | undefined>()
  for (const { id, changes, asOf } of group) {
    const unseen = asOf === undefined ? undefined : unseenBy(database, asOf, bySeen)
    if (unseen !== undefined) outdated.set(id, unseen)
    else for (const change of changes) database.apply(change)
  }
  return outdated
}

function unseenBy(
  database: RecordDatabase,
  { seen, collection }: AsOf,
  known: Map<string, ChangesOfOthers | undefined>
): ChangesOfOthers | undefined {
  const key = `${seen} ${collection}`
  if (known.has(key)) return known.get(key)
  const { sharing } = database
  const unseen =
    sharing?.isOutdated(collection, seen) === true ? sharing.changes(collection, seen) : undefined
  known.set(key, unseen)
  return unseen
}

/** In the order of the requests: who hears of others has heard before what became of its own. */
function tellOutcomes(group: readonly Commit[], outdated: ReadonlyMap<number, ChangesOfOthers>): void {
  let done: number[] = []
  for (const { id } of group) {
    const others = outdated.get(id)
    if (others === undefined) {
      done.push(id)
      continue
    }
    if (done.length > 0) tell({ kind: 'done', ids: done })
    done = []
    tell({ kind: 'answered', id, result: { kind: 'outdated', others } })
  }
  if (done.length > 0) tell({ kind: 'done', ids: done })
}

function fail(id: number, error: unknown): void {
  tell({ kind: 'failed', id, message: messageOf(error), isBusy: isBusy(error) })
}

function reply(database: RecordDatabase, request: { readonly id: number } & Question): void {
  try {
    tell({ kind: 'answered', id: request.id, result: resultOf(database, request) })
  } catch (error) {
    fail(request.id, error)
  }
}

function resultOf(database: RecordDatabase, request: Question): Result {
  if (request.kind === 'load') return database.load(request.collection)
  const { sharing } = database
  if (sharing === undefined) throw new Error('the file is not shared')
  switch (request.kind) {
    case 'revision':
      return sharing.revision()
    case 'changes':
      return database.read(() => sharing.changes(request.asOf.collection, request.asOf.seen))
    case 'beat':
      return database.transact(() => sharing.beat(request.notice, Date.now()))
  }
}

function close(database: RecordDatabase, id: number): void {
  const { sharing } = database
  try {
    if (sharing !== undefined) database.transact(() => sharing.leave())
  } catch {
    // Whoever shares the file finds out by the lease.
  }
  database.close()
  tell({ kind: 'done', ids: [id] })
  port?.close()
}

/** Serves requests in their order; commits that follow each other directly become one group. */
function serve(database: RecordDatabase, first: WriterRequest): void {
  let group: Commit[] = []
  let request: WriterRequest | undefined = first
  while (request !== undefined) {
    if (request.kind === 'commit') group.push(request)
    if (request.kind !== 'commit' || group.length >= groupLimit) {
      if (group.length > 0) commitGroup(database, group)
      group = []
    }
    if (request.kind === 'close') {
      close(database, request.id)
      return
    }
    if (request.kind !== 'commit') reply(database, request)
    request = port === null ? undefined : (receiveMessageOnPort(port)?.message as WriterRequest | undefined)
  }
  if (group.length > 0) commitGroup(database, group)
}

function open({ path, shared }: WriterOptions): RecordDatabase | undefined {
  try {
    return new RecordDatabase(path, shared)
  } catch (error) {
    tell({ kind: 'unopened', message: messageOf(error) })
    return undefined
  }
}

const database = open(workerData as WriterOptions)
if (database === undefined) port.close()
else {
  port.on('message', (request: WriterRequest) => serve(database, request))
  tell({ kind: 'opened' })
}
