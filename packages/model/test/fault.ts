import { DecodeError } from '@breakwater/core'
import { ModelDecodeError, decodeSignal } from '../src/index.ts'

/** Bytes from hexadecimal with blanks. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from((text.match(/[0-9a-f]{2}/gi) ?? []).map((pair) => Number.parseInt(pair, 16)))
}

/** `CODE path`, or `decoded`; anything but a ModelDecodeError goes through. */
export function faultOf(bytes: Uint8Array): string {
  try {
    decodeSignal(bytes)
    return 'decoded'
  } catch (error) {
    if (!(error instanceof DecodeError) || !(error instanceof ModelDecodeError)) throw error
    if (!error.message.startsWith(error.path))
      throw new Error(`no path in: ${error.message}`, { cause: error })
    return `${error.code} ${error.path}`.trimEnd()
  }
}
