import type { CoapOption } from '../message.ts'

/** A message of CoAP over TCP (RFC 8323 §3.2): without type and Message ID, as the stream does what they are for. */
export interface StreamMessage {
  readonly code: number
  /** 0 … 8 bytes. */
  readonly token: Uint8Array
  /** In ascending order of `number`. For codes 7.xx the numbers mean what the code says (RFC 8323 §5.2). */
  readonly options: readonly CoapOption[]
  /** Empty when there is none. */
  readonly payload: Uint8Array
}

/** RFC 8323 §5.1: signaling messages, `7.dd`. */
export const SignalCode = { csm: 0xe1, ping: 0xe2, pong: 0xe3, release: 0xe4, abort: 0xe5 } as const

/** RFC 8323 §5.2: option numbers of signaling messages, by the code that they belong to. */
export const SignalOption = {
  maxMessageSize: 2,
  blockWiseTransfer: 4,
  custody: 2,
  alternativeAddress: 2,
  holdOff: 4,
  badCsmOption: 2
} as const

/** 7.00 … 7.31. */
export function isSignal(code: number): boolean {
  return code >> 5 === 7
}
