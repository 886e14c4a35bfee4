import type { PeerId } from '@breakwater/core'
import type { MemoryTakings } from '../src/addon.ts'
import type { MemoryEngine } from '../src/memory-engine.ts'

export interface PairTakings {
  readonly toServer: readonly Uint8Array[]
  readonly toClient: readonly Uint8Array[]
  readonly server: MemoryTakings
  readonly client: MemoryTakings
}

const nothing: MemoryTakings = { datagrams: [], reports: [], plaintexts: [] }

function merged(a: MemoryTakings, b: MemoryTakings): MemoryTakings {
  return {
    datagrams: [...a.datagrams, ...b.datagrams],
    reports: [...a.reports, ...b.reports],
    plaintexts: [...a.plaintexts, ...b.plaintexts]
  }
}

const bytesOf = ({ datagrams }: MemoryTakings): readonly Uint8Array[] => datagrams.map(({ bytes }) => bytes)

/** Carries datagrams between two engines until both are silent; returns all that happened. */
export function settle(server: MemoryEngine, client: MemoryEngine): PairTakings {
  let [ofServer, ofClient] = [nothing, nothing]
  for (;;) {
    const fromClient = client.take()
    for (const { bytes } of fromClient.datagrams) server.feed(client.local, bytes)
    const fromServer = server.take()
    for (const { bytes } of fromServer.datagrams) client.feed(server.local, bytes)
    ofClient = merged(ofClient, fromClient)
    ofServer = merged(ofServer, fromServer)
    if (fromClient.datagrams.length + fromServer.datagrams.length === 0) break
  }
  return { toServer: bytesOf(ofClient), toClient: bytesOf(ofServer), server: ofServer, client: ofClient }
}

/** The peer of the last session that was established. */
export function establishedIn(takings: MemoryTakings): PeerId {
  const last = takings.reports.findLast((report) => report.kind === 'established')
  if (last === undefined) throw new Error(`no session: ${JSON.stringify(takings.reports)}`)
  return last.peer
}
