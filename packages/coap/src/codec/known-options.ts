import type { CoapOption } from '../message.ts'
import { PAYLOAD_MARKER } from './limit.ts'

/** The options of one message. */
export interface OptionList {
  readonly options: readonly CoapOption[]
  /** How many bytes of the message they are. */
  readonly length: number
}

interface KnownList extends OptionList {
  readonly bytes: Uint8Array
}

/** Messages of one kind are mostly of one length, so that this many kinds have a place each. */
const PLACES = 64

/** Longer ones say something of their own. */
const LONGEST = 64

/**
 * Lists of options that came lately, for whoever reads messages: most say the same as others before them (where a heartbeat
 * goes, what a client asks for again), and to read a list anew costs more than all the rest of a message.
 *
 * A list is found by the length of what follows the token and compared byte by byte: who sends many that differ makes
 * nobody's options wrong, only the reading as slow as if nothing were known.
 */
export class KnownOptions {
  readonly #places: (KnownList | undefined)[] = Array.from({ length: PLACES }, () => undefined)

  /** The options that begin at `start` of a message, if they are known. */
  find(message: Uint8Array, start: number): OptionList | undefined {
    const known = this.#places[(message.length - start) % PLACES]
    if (known === undefined) return undefined
    const { bytes } = known
    const end = start + known.length
    // They end where the message does, or where a payload begins: else there are more of them, or a fault to be told.
    if (end !== message.length && (message[end] !== PAYLOAD_MARKER || end + 1 >= message.length))
      return undefined
    for (let i = 0; i < bytes.length; i++) if (message[start + i] !== bytes[i]) return undefined
    return known
  }

  /** Remembers options that were read from `start` of a message and have no fault. */
  keep(message: Uint8Array, start: number, { options, length }: OptionList): void {
    if (length > LONGEST) return
    const bytes = message.slice(start, start + length)
    this.#places[(message.length - start) % PLACES] = { options, length, bytes }
  }
}
