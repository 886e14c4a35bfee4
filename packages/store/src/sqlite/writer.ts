// The writer thread: it alone touches the file, so that nobody on the signal loop ever waits for a disk.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'

import { RecordDatabase } from './database.ts'
import type { WriterAnswer, WriterRequest } from './protocol.ts'

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
    database.commit(group.flatMap((request) => request.changes))
    tell({ kind: 'done', ids: group.map((request) => request.id) })
  } catch (error) {
    const [only] = group
    // One of them may be at fault for all: each gets a transaction of its own.
    if (group.length > 1) for (const request of group) commitGroup(database, [request])
    else if (only !== undefined) tell({ kind: 'failed', id: only.id, message: messageOf(error) })
  }
}

function answerLoad(database: RecordDatabase, id: number, collection: string): void {
  try {
    tell({ kind: 'loaded', id, loaded: database.load(collection) })
  } catch (error) {
    tell({ kind: 'failed', id, message: messageOf(error) })
  }
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
    if (request.kind === 'load') answerLoad(database, request.id, request.collection)
    if (request.kind === 'close') {
      database.close()
      tell({ kind: 'done', ids: [request.id] })
      port?.close()
      return
    }
    request = port === null ? undefined : (receiveMessageOnPort(port)?.message as WriterRequest | undefined)
  }
  if (group.length > 0) commitGroup(database, group)
}

function open(path: string): RecordDatabase | undefined {
  try {
    return new RecordDatabase(path)
  } catch (error) {
    tell({ kind: 'unopened', message: messageOf(error) })
    return undefined
  }
}

const database = open((workerData as { path: string }).path)
if (database === undefined) port.close()
else {
  port.on('message', (request: WriterRequest) => serve(database, request))
  tell({ kind: 'opened' })
}
