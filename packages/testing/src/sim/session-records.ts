import type { NetworkPath } from '@breakwater/core'
import { decodeAlert } from './handshake-message.ts'
import type { Peer } from './peer-table.ts'
import type { PeerKeeper } from './peer-keeper.ts'
import { isSameSession, RecordKind } from './record.ts'
import type { SimulatedRecord } from './record.ts'

/** Takes a plaintext of an established session. What belongs to no session, or came before, is counted and dropped. */
export function receivePlaintext(keeper: PeerKeeper, path: NetworkPath, record: SimulatedRecord): void {
  const peer = keeper.table.establishedAt(path)
  if (peer?.state.kind !== 'established' || !isSameSession(peer.session, record.session)) {
    keeper.counters.count('records_dropped_total', 'no-session')
    return
  }
  if (!peer.state.window.accept(record.sequence)) {
    keeper.counters.count('records_dropped_total', 'replayed')
    return
  }
  keeper.counters.count('plaintexts_received_total')
  keeper.reports.plaintext(peer.id, record.payload)
}

/** Takes an alert of an established session or of a handshake. */
export function receiveAlert(keeper: PeerKeeper, path: NetworkPath, record: SimulatedRecord): void {
  const alert = decodeAlert(record.payload)
  const established = keeper.table.establishedAt(path)
  if (
    alert !== undefined &&
    established !== undefined &&
    isSameSession(established.session, record.session)
  ) {
    keeper.end(established, alert === 'close_notify' ? 'close-notify' : 'alert')
    return
  }
  const handshaking = keeper.table.handshakingAt(path)
  if (alert !== undefined && handshaking !== undefined && concerns(handshaking, record))
    keeper.fail(handshaking, 'peer-alert')
  else keeper.counters.count('records_dropped_total', 'alert')
}

/** An alert from a server that has not chosen its half of the name yet counts, too. */
function concerns(peer: Peer, { session, kind }: SimulatedRecord): boolean {
  const early = session.server === 0 || peer.session.server === 0
  return (
    kind === RecordKind.alert &&
    (early ? session.client === peer.session.client : isSameSession(session, peer.session))
  )
}
