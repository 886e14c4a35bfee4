import { crc32 } from 'node:zlib'

/**
 * Guards one record: SQLite serves a flipped bit without a word, and its integrity check stays silent. Collection and
 * key are part of it, so that a value that strayed to another key is found, too.
 * @returns an unsigned 32-bit CRC.
 */
export function recordChecksum(collection: string, key: string, value: Uint8Array): number {
  return crc32(value, crc32(`${collection}\0${key}\0`))
}
