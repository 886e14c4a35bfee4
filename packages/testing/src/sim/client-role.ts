import type { ConnectRequest, NetworkPath, PeerId } from '@breakwater/core'
import { clientFinished, finishedOf, judgeServer } from './authentication.ts'
import { decodeHandshake } from './handshake-message.ts'
import type { HandshakeMessage } from './handshake-message.ts'
import type { PeerKeeper } from './peer-keeper.ts'
import type { Peer } from './peer-table.ts'
import { isSameSession } from './record.ts'
import type { SessionName, SimulatedRecord } from './record.ts'

/** Flight 1. A handshake that is under way to the same server already is given up for the new one. */
export function connectAsClient(keeper: PeerKeeper, request: ConnectRequest): PeerId {
  const path = keeper.pathTo(request.remote)
  const underWay = keeper.table.handshakingAt(path)
  if (underWay !== undefined) keeper.fail(underWay, 'local')
  if (!keeper.hasRoom(path)) return keeper.failNobody('limit')
  const session = { client: keeper.entropy.uint32(), server: 0 }
  const { serverName, handshakeRetransmission } = request
  const peer = keeper.begin(path, session, { kind: 'greeting', serverName }, handshakeRetransmission)
  keeper.startFlight(peer, hello(keeper, ''))
  return peer.id
}

/** Takes flights 2, 4 and 6. */
export function receiveAsClient(keeper: PeerKeeper, path: NetworkPath, record: SimulatedRecord): void {
  const peer = keeper.table.handshakingAt(path)
  const message = decodeHandshake(record.payload)
  if (message?.kind === 'server-hello' && repeatsLastFlight(keeper, path, record.session)) return
  if (peer === undefined || message === undefined || peer.session.client !== record.session.client) {
    keeper.counters.count('records_dropped_total', 'handshake')
    return
  }
  switch (message.kind) {
    case 'hello-verify-request':
      if (peer.state.kind === 'greeting') keeper.startFlight(peer, hello(keeper, message.cookie))
      return
    case 'server-hello':
      prove(keeper, peer, record.session, message.certificate)
      return
    case 'server-finished':
      finish(keeper, peer, record.session, message.finished)
      return
    case 'client-hello':
    case 'client-finished':
      keeper.counters.count('records_dropped_total', 'handshake')
  }
}

/** The server of a resumed session did not get our last flight. */
function repeatsLastFlight(keeper: PeerKeeper, path: NetworkPath, session: SessionName): boolean {
  const established = keeper.resumesSessions ? keeper.table.establishedAt(path) : undefined
  if (established === undefined || !isSameSession(session, established.session)) return false
  established.repeatFlight()
  return true
}

function hello(keeper: PeerKeeper, cookie: string): HandshakeMessage {
  const offers = keeper.authentication.ownKey === undefined ? 'certificate' : 'psk'
  return { kind: 'client-hello', cookie, offers }
}

function prove(keeper: PeerKeeper, peer: Peer, session: SessionName, certificate: string): void {
  // A repeated flight 4 means that flight 5 was lost (RFC 6347 §4.2.4).
  if (peer.state.kind === 'proving' && isSameSession(session, peer.session)) peer.repeatFlight()
  if (peer.state.kind !== 'greeting') return
  peer.session = session
  const judgement = judgeServer(keeper.authentication, certificate, peer.state.serverName, keeper.wallClock())
  switch (judgement.kind) {
    case 'accepted': {
      const finished = clientFinished(keeper.authentication, session)
      if (keeper.resumesSessions) {
        keeper.sendLastFlight(peer, finished)
        keeper.establish(peer, judgement.identity)
        return
      }
      peer.state = { kind: 'proving', identity: judgement.identity, key: judgement.key }
      keeper.startFlight(peer, finished)
      return
    }
    case 'refused':
      keeper.fail(peer, judgement.reason, judgement.alert)
      return
    case 'ignored':
      keeper.counters.count('records_dropped_total', 'handshake')
  }
}

function finish(keeper: PeerKeeper, peer: Peer, session: SessionName, finished: string): void {
  const { state } = peer
  if (
    state.kind === 'proving' &&
    isSameSession(session, peer.session) &&
    finished === finishedOf(session, state.key, 'server')
  )
    keeper.establish(peer, state.identity)
  else keeper.counters.count('records_dropped_total', 'handshake')
}
