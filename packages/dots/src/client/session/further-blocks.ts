import { isRequest } from '@breakwater/coap'

/** Who asks for blocks without end loses the oldest questions: their answers would be of no use any more. */
const MOST_WAITING = 4

/** RFC 7252 §3. */
const NON_CONFIRMABLE = 1

/**
 * Requests for the further blocks of an answer, which the CoAP session makes by itself as soon as a block has come. They
 * wait for their turn as all Non-confirmable requests do (RFC 9132 §4.4).
 */
export class FurtherBlocks {
  readonly #waiting: Uint8Array[] = []

  add(datagram: Uint8Array): void {
    this.#waiting.push(datagram)
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift()
  }

  /** The one that goes next. */
  get next(): Uint8Array | undefined {
    return this.#waiting[0]
  }

  take(): Uint8Array | undefined {
    return this.#waiting.shift()
  }
}

/** Whether a datagram of CoAP is a request that RFC 9132 §4.4 paces. */
export function isPacedRequest(datagram: Uint8Array): boolean {
  const [head = 0, code = 0] = datagram
  return ((head >> 4) & 3) === NON_CONFIRMABLE && isRequest(code)
}
