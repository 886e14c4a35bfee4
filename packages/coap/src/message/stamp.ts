import type { MessageType } from '../message.ts'

const typeBits: Readonly<Record<MessageType, number>> = {
  confirmable: 0x00,
  'non-confirmable': 0x10,
  acknowledgement: 0x20,
  reset: 0x30
}

/** Puts another type and Message ID into the encoded message at `at`, in place: only before its first transmission. */
export function stamp(bytes: Uint8Array, type: MessageType, messageId: number, at = 0): void {
  bytes[at] = ((bytes[at] ?? 0) & 0xcf) | typeBits[type]
  bytes[at + 2] = messageId >> 8
  bytes[at + 3] = messageId
}

/** An Empty message (RFC 7252 §4.1). */
export function emptyMessage(type: MessageType, messageId: number): Uint8Array {
  return Uint8Array.of(0x40 | typeBits[type], 0, messageId >> 8, messageId)
}
