import { clientFinished, finishedOf, judgeClient, judgeServer, supports } from './authentication.ts'
import { decodeAlert, decodeHandshake } from './handshake-message.ts'
import type { HandshakeMessage } from './handshake-message.ts'
import { RecordKind } from './record.ts'
import type { StreamKeeper } from './stream-keeper.ts'
import type { StreamPeer } from './stream-peer.ts'
import type { StreamRecord } from './stream-record.ts'

/**
 * The handshakes of both roles: with certificates one round trip, as in TLS 1.3 (RFC 8446 §2), whose client is finished
 * before the server has judged it; with keys two, as in TLS 1.2 (RFC 5246 §7.3), which is what Node has there.
 */
type Take = (keeper: StreamKeeper, peer: StreamPeer, message: HandshakeMessage) => void

/** A client's TCP connection is ready. */
export function greetAsClient(keeper: StreamKeeper, peer: StreamPeer): void {
  peer.state = { kind: 'greeting' }
  const offers = keeper.authentication.ownKey === undefined ? 'certificate' : 'psk'
  peer.handshake({ kind: 'client-hello', cookie: '', offers })
}

/** A server's TCP connection is ready. */
export function awaitAsServer(peer: StreamPeer): void {
  peer.state = { kind: 'awaiting' }
}

/** Takes what a client's connection brings. */
export function receiveAsClient(keeper: StreamKeeper, peer: StreamPeer, bytes: Uint8Array): void {
  receive(keeper, peer, bytes, takeAsClient)
}

/** Takes what a server's connection brings. */
export function receiveAsServer(keeper: StreamKeeper, peer: StreamPeer, bytes: Uint8Array): void {
  receive(keeper, peer, bytes, takeAsServer)
}

function receive(keeper: StreamKeeper, peer: StreamPeer, bytes: Uint8Array, take: Take): void {
  peer.reader.add(bytes)
  while (peer.state.kind !== 'gone') {
    const record = peer.reader.next()
    if (record === undefined) return
    if (record === 'malformed') {
      keeper.fail(peer, 'protocol')
      keeper.end(peer, 'alert')
    } else takeRecord(keeper, peer, record, take)
  }
}

function takeRecord(keeper: StreamKeeper, peer: StreamPeer, record: StreamRecord, take: Take): void {
  if (record.kind === RecordKind.alert) {
    keeper.fail(peer, 'peer-alert')
    keeper.end(peer, decodeAlert(record.payload) === 'close_notify' ? 'close-notify' : 'alert')
  } else if (record.kind === RecordKind.plaintext) {
    if (peer.state.kind === 'established') keeper.deliver(peer, record.payload)
    else keeper.fail(peer, 'protocol')
  } else {
    const message = decodeHandshake(record.payload)
    if (message === undefined) keeper.fail(peer, 'protocol')
    else take(keeper, peer, message)
  }
}

const takeAsClient: Take = (keeper, peer, message) => {
  const { state } = peer
  if (message.kind === 'server-hello' && state.kind === 'greeting') prove(keeper, peer, message.certificate)
  else if (
    message.kind === 'server-finished' &&
    state.kind === 'proving' &&
    message.finished === finishedOf(peer.session, state.key, 'server')
  )
    keeper.establish(peer, state.identity)
  else keeper.fail(peer, 'protocol')
}

function prove(keeper: StreamKeeper, peer: StreamPeer, certificate: string): void {
  const { authentication } = keeper
  const judgement = judgeServer(authentication, certificate, peer.serverName, keeper.clock.wallClock())
  if (judgement.kind !== 'accepted') {
    if (judgement.kind === 'refused') keeper.fail(peer, judgement.reason, judgement.alert)
    return
  }
  const { identity, key } = judgement
  peer.handshake(clientFinished(authentication, peer.session))
  if (authentication.ownKey === undefined) keeper.establish(peer, identity)
  else peer.state = { kind: 'proving', identity, key }
}

const takeAsServer: Take = (keeper, peer, message) => {
  const { state } = peer
  if (message.kind === 'client-hello' && state.kind === 'awaiting') {
    if (!supports(keeper.authentication, message.offers)) {
      keeper.fail(peer, 'no-shared-key', 'handshake_failure')
      return
    }
    peer.state = { kind: 'answering' }
    const certificate = message.offers === 'psk' ? '' : (keeper.authentication.certificate?.pem ?? '')
    peer.handshake({ kind: 'server-hello', mechanism: message.offers, certificate })
  } else if (message.kind === 'client-finished' && state.kind === 'answering') judge(keeper, peer, message)
  else keeper.fail(peer, 'protocol')
}

function judge(
  keeper: StreamKeeper,
  peer: StreamPeer,
  message: Extract<HandshakeMessage, { kind: 'client-finished' }>
): void {
  const judgement = judgeClient(keeper.authentication, peer.session, message, keeper.clock.wallClock())
  if (judgement.kind === 'refused') keeper.fail(peer, judgement.reason, judgement.alert)
  // What a datagram may ignore, because it may be forged, is a fault of the peer's on a connection.
  else if (judgement.kind === 'ignored') keeper.fail(peer, 'protocol', 'handshake_failure')
  else {
    if (judgement.key !== '')
      peer.handshake({
        kind: 'server-finished',
        finished: finishedOf(peer.session, judgement.key, 'server')
      })
    keeper.establish(peer, judgement.identity)
    keeper.expectFirstByte(peer)
  }
}
