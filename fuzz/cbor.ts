import { DecodeError, fromHex } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'

/** { 65535: ITEM }: the last comprehension-optional key, so that the decoder reads past any item whatever it is. */
const HEAD = Uint8Array.of(0xa1, 0x19, 0xff, 0xff)

/** Feeds arbitrary bytes as one CBOR item to the part of the reader that knows every kind of item. */
export const target = {
  name: 'cbor',
  seeds: [
    '8301820203bf616104ff',
    '5f42010243030405ff',
    '7f657374726561646d696e67ff',
    'c11a514b67b0',
    'f97e00fb7ff8000000000000f820',
    'a201020326'
  ].map((hex) => fromHex(hex)),
  run(bytes: Uint8Array): void {
    const message = new Uint8Array(HEAD.length + bytes.length)
    message.set(HEAD)
    message.set(bytes, HEAD.length)
    try {
      const decoded = decodeSignal(message)
      if (Object.keys(decoded).length > 0) throw new Error('an ignored member left something behind')
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
    }
  }
}
