import { readFileSync } from 'node:fs'

/** Layout of a write-ahead log: https://sqlite.org/fileformat2.html#the_write_ahead_log. */
const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const MAGIC = 0x377f_0682

type Sums = readonly [number, number]

/**
 * Looks for damage in the log that a killed process left. SQLite takes the first frame that does not fit its checksum for
 * the torn end of the log and drops the rest in silence, transactions that were acknowledged included. A torn end holds
 * frames of one transaction at most: each is synchronised before the next is begun.
 * @returns in words what is lost; undefined when nothing is, or when it cannot be told from a torn end.
 */
export function walDamage(path: string): string | undefined {
  const log = read(path)
  if (log === undefined || log.length <= HEADER_BYTES + FRAME_HEADER_BYTES) return undefined
  const isBigEndian = (log.readUInt32BE(0) & 1) === 1
  let sums = checksum(log.subarray(0, 24), [0, 0], isBigEndian)
  if ((log.readUInt32BE(0) & ~1) !== MAGIC || !isAt(log, 24, sums)) return 'the header of the write-ahead log'
  const frameBytes = FRAME_HEADER_BYTES + log.readUInt32BE(8)
  let at = HEADER_BYTES
  for (; at + frameBytes <= log.length && hasSalts(log, at); at += frameBytes) {
    const head = checksum(log.subarray(at, at + 8), sums, isBigEndian)
    sums = checksum(log.subarray(at + FRAME_HEADER_BYTES, at + frameBytes), head, isBigEndian)
    if (!isAt(log, at + 16, sums)) break
  }
  return hasCommitBeforeItsEnd(log, at, frameBytes)
    ? `frame ${(at - HEADER_BYTES) / frameBytes + 1} of the write-ahead log, and all behind it`
    : undefined
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** Frames of this generation that follow the end of a transaction, from a frame that does not fit. */
function hasCommitBeforeItsEnd(log: Buffer, from: number, frameBytes: number): boolean {
  let isCommitted = false
  for (let at = from; at + FRAME_HEADER_BYTES <= log.length; at += frameBytes) {
    // The damage may be in the salts of the first: it counts all the same.
    if (at > from && !hasSalts(log, at)) continue
    if (isCommitted && at > from) return true
    isCommitted ||= log.readUInt32BE(at + 4) !== 0
  }
  return false
}

function hasSalts(log: Buffer, at: number): boolean {
  return log.compare(log, 16, 24, at + 8, at + 16) === 0
}

function isAt(log: Buffer, at: number, [first, second]: Sums): boolean {
  return log.readUInt32BE(at) === first && log.readUInt32BE(at + 4) === second
}

function checksum(bytes: Buffer, [first, second]: Sums, isBigEndian: boolean): Sums {
  let [a, b] = [first, second]
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    a = (a + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + b) >>> 0
    b = (b + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + a) >>> 0
  }
  return [a, b]
}
