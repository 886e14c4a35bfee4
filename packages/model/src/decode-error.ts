import { DecodeError } from '@breakwater/core'

/**
 * Bytes that are not CBOR, a text that is not JSON, no DOTS message, or one with a value that its YANG module does not
 * allow. Answer 4.00 with `message` as diagnostic payload (RFC 9132 §6). The codes start with `MODEL_`.
 */
export class ModelDecodeError extends DecodeError {
  /**
   * Where it is wrong, in YANG names from inside the message's container: `scope[0].lifetime`. The name of the container
   * when that itself is wrong, and empty when the message as a whole is.
   */
  readonly path: string

  constructor(code: string, path: string, problem: string) {
    super(code, path === '' ? problem : `${path}: ${problem}`)
    this.path = path
  }
}
