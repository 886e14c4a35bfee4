import type { JsonObject } from './json/json-value.ts'
import { structureJson } from './json/structure.ts'
import type { SignalMessage } from './signal-message.ts'
import { signalStructure } from './signal.ts'

const codec = structureJson(signalStructure, 'ietf-dots-signal-channel')

/**
 * Reads a signal channel message in the JSON form that RFC 9132 prints (RFC 7951): names of `ietf-dots-signal-channel`,
 * enumerations by name, 64-bit numbers and decimals as texts.
 * @param json A JSON text, or what a JSON parser made of one. Give the text where you can: only then are members that
 * stand there twice, and texts that are too long or too deep, refused.
 * @throws ModelDecodeError when it is not JSON, has a member that we do not know, or a value that the YANG module does
 * not allow.
 * @example
 * decodeSignalJson('{"ietf-dots-signal-channel:heartbeat":{"peer-hb-status":true}}').heartbeat?.peerHbStatus // true
 */
export function decodeSignalJson(json: unknown): SignalMessage {
  return codec.decode(json)
}

/**
 * The JSON form of a message as a value, to be written into a greater one.
 * @throws InternalError `MODEL_ENCODE_INVALID` with the place, when a value is not one that `decodeSignalJson` would
 * accept.
 */
export function signalToJson(message: SignalMessage): JsonObject {
  return codec.encode(message)
}

/** The JSON form of a message as a text of one line, members in order of their CBOR keys. @throws like `signalToJson` */
export function encodeSignalJson(message: SignalMessage): string {
  return JSON.stringify(signalToJson(message))
}
