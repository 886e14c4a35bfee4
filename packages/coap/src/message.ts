/** RFC 7252 §3. */
export type MessageType = 'confirmable' | 'non-confirmable' | 'acknowledgement' | 'reset'

/** One option; `number` as registered by RFC 7252 §12.2 and its successors. */
export interface CoapOption {
  readonly number: number
  readonly value: Uint8Array
}

export interface CoapMessage {
  readonly type: MessageType
  /** `c.dd` as one byte: class × 32 + detail; 0.00 is 0, 2.05 is 0x45. */
  readonly code: number
  /** RFC 7252 §3: 0 … 65535. DOTS's `mid` is something else. */
  readonly messageId: number
  /** 0 … 8 bytes. */
  readonly token: Uint8Array
  /** In ascending order of `number`; equal numbers in the order of the wire. */
  readonly options: readonly CoapOption[]
  /** Empty when there is none. */
  readonly payload: Uint8Array
}
