import type { PeerId, SecureStreamEndpoint } from '@breakwater/core'
import type { Attended } from './secure-pair.ts'

export type AttendedStream = Attended<SecureStreamEndpoint>

/** All that `peer` sent, as one text: the borders of a stream mean nothing. */
export function textFrom({ log }: AttendedStream, peer: PeerId): string {
  return log.textsFrom(peer).join('')
}

/** How many bytes `peer` sent. */
export function bytesFrom({ log }: AttendedStream, peer: PeerId): number {
  return log.received.reduce((sum, one) => sum + (one.peer === peer ? one.bytes.length : 0), 0)
}
