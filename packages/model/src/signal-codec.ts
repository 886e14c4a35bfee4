import { structureCodec } from './mapping/structure.ts'
import type { SignalMessage } from './signal-message.ts'
import { signalStructure } from './signal.ts'

const codec = structureCodec(signalStructure)

/**
 * Reads the body of a signal channel message (`application/dots+cbor`).
 * @throws ModelDecodeError when it is not CBOR, has a comprehension-required key that we do not know, or a value that
 * the YANG module does not allow. What depends on the kind of message (a PUT without lifetime) is not checked here.
 * @example
 * decodeSignal(Uint8Array.of(0xa1, 0x18, 49, 0xa1, 0x18, 51, 0xf5)).heartbeat?.peerHbStatus // true
 */
export function decodeSignal(bytes: Uint8Array): SignalMessage {
  return codec.decode(bytes)
}

/**
 * Writes the body of a signal channel message: the same message always gives the same bytes.
 * @throws InternalError `MODEL_ENCODE_INVALID` with the place, when a value is not one that `decodeSignal` would accept.
 */
export function encodeSignal(message: SignalMessage): Uint8Array {
  return codec.encode(message)
}
