import { formatIpAddress } from '@breakwater/core'
import type { NetworkPath, SessionFailure } from '@breakwater/core'
import { finishedOf, judgeClient, supports } from './authentication.ts'
import { simulatedDigest } from './digest.ts'
import { decodeHandshake, encodeAlert, encodeHandshake } from './handshake-message.ts'
import type { Alert, HandshakeMessage, Mechanism } from './handshake-message.ts'
import type { PeerKeeper } from './peer-keeper.ts'
import { isSameSession, RecordKind } from './record.ts'
import type { SessionName, SimulatedRecord } from './record.ts'

type ClientHello = Extract<HandshakeMessage, { kind: 'client-hello' }>
type ClientFinished = Extract<HandshakeMessage, { kind: 'client-finished' }>

/** Takes flights 1, 3 and 5. `cookieSecret` is the endpoint's own. */
export function receiveAsServer(
  keeper: PeerKeeper,
  cookieSecret: number,
  path: NetworkPath,
  record: SimulatedRecord
): void {
  const message = decodeHandshake(record.payload)
  if (message?.kind === 'client-hello')
    greet(keeper, cookieFor(cookieSecret, path, record.session), path, record, message)
  else if (message?.kind === 'client-finished') judge(keeper, path, record.session, message)
  else keeper.counters.count('records_dropped_total', 'handshake')
}

/** RFC 6347 §4.2.1: no state before the client has shown that it hears us at its address. */
function greet(
  keeper: PeerKeeper,
  cookie: string,
  path: NetworkPath,
  { session, sequence }: SimulatedRecord,
  message: ClientHello
): void {
  if (message.cookie !== cookie) {
    const request = encodeHandshake({ kind: 'hello-verify-request', cookie })
    keeper.sendAlone(path, RecordKind.handshake, session, sequence, request)
    return
  }
  const underWay = keeper.table.handshakingAt(path)
  if (underWay?.session.client === session.client) {
    underWay.repeatFlight()
    return
  }
  // A late copy of the hello that began the session we have.
  if (keeper.table.establishedAt(path)?.session.client === session.client) return
  if (underWay !== undefined) keeper.fail(underWay, 'timeout')
  answer(keeper, path, session, message.offers)
}

/** Flight 4, or an alert where the client cannot be served. */
function answer(keeper: PeerKeeper, path: NetworkPath, session: SessionName, mechanism: Mechanism): void {
  if (!supports(keeper.authentication, mechanism))
    return turnAway(keeper, path, session, 'no-shared-key', 'handshake_failure')
  if (!keeper.hasRoom(path)) return turnAway(keeper, path, session, 'limit', 'internal_error')
  const named = { client: session.client, server: keeper.entropy.uint32() || 1 }
  const peer = keeper.begin(path, named, { kind: 'answering' })
  const certificate = mechanism === 'psk' ? '' : (keeper.authentication.certificate?.pem ?? '')
  keeper.startFlight(peer, { kind: 'server-hello', mechanism, certificate })
}

function turnAway(
  keeper: PeerKeeper,
  path: NetworkPath,
  session: SessionName,
  reason: SessionFailure,
  alert: Alert
): void {
  keeper.sendAlone(path, RecordKind.alert, session, 0, encodeAlert(alert))
  keeper.failNobody(reason)
}

function judge(keeper: PeerKeeper, path: NetworkPath, session: SessionName, message: ClientFinished): void {
  const established = keeper.table.establishedAt(path)
  if (established !== undefined && isSameSession(established.session, session)) {
    // Our flight 6 was lost.
    established.repeatFlight()
    return
  }
  const peer = keeper.table.handshakingAt(path)
  if (peer === undefined || !isSameSession(peer.session, session)) {
    keeper.counters.count('records_dropped_total', 'handshake')
    return
  }
  const judgement = judgeClient(keeper.authentication, session, message, keeper.wallClock())
  switch (judgement.kind) {
    case 'accepted':
      keeper.establish(peer, judgement.identity)
      // Of a resumed session, flight 5 was the last.
      if (keeper.resumesSessions) peer.repeatFlight = () => undefined
      else {
        const finished = finishedOf(peer.session, judgement.key, 'server')
        keeper.sendLastFlight(peer, { kind: 'server-finished', finished })
      }
      return
    case 'refused':
      keeper.fail(peer, judgement.reason, judgement.alert)
      return
    case 'ignored':
      keeper.counters.count('records_dropped_total', 'handshake')
  }
}

function cookieFor(secret: number, { remote }: NetworkPath, session: SessionName): string {
  return simulatedDigest(
    `${secret} ${formatIpAddress(remote.address)} ${remote.port} ${session.client}`
  ).slice(0, 16)
}
