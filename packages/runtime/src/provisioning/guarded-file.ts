import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { WallTime } from '@breakwater/core'

/** A file that others write, as it was when it was looked at. */
export type GuardedFile =
  | {
      readonly kind: 'text'
      readonly text: string
      readonly modifiedAt: WallTime
      /** Changes whenever the file may have: where it is the same, so is the text. */
      readonly stamp: string
    }
  /** It is as it was when `stamp` was taken. */
  | { readonly kind: 'unchanged'; readonly stamp: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly reason: string; readonly stamp?: string }

export interface GuardedFileLimits {
  readonly longestBytes: number
  /** A link is followed only where the operator named the file itself. */
  readonly followsLinks?: true
}

/**
 * Reads a file whose text decides where protection is asked for: a regular file of root's or our own, which nobody else
 * may write, and no longer than the limit. Never waits: a pipe is refused, not read. Never rejects.
 */
export async function readGuardedFile(
  path: string,
  limits: GuardedFileLimits,
  knownStamp?: string
): Promise<GuardedFile> {
  let file: FileHandle | undefined
  try {
    const follow = limits.followsLinks === true ? 0 : constants.O_NOFOLLOW
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | follow)
    return await readOpen(file, limits.longestBytes, knownStamp)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' }
    return { kind: 'refused', reason: reasonOf(code, error) }
  } finally {
    await file?.close().catch(() => undefined)
  }
}

async function readOpen(
  file: FileHandle,
  longestBytes: number,
  knownStamp: string | undefined
): Promise<GuardedFile> {
  const status = await file.stat({ bigint: true })
  const { ino, size, mtimeNs, ctimeNs, mode, uid } = status
  const stamp = `${ino} ${size} ${mtimeNs} ${ctimeNs}`
  if (stamp === knownStamp) return { kind: 'unchanged', stamp }
  const refuse = (reason: string): GuardedFile => ({ kind: 'refused', reason, stamp })
  if (!status.isFile()) return refuse('it is not a file')
  const fault = ownershipFault(Number(uid), Number(mode))
  if (fault !== undefined) return refuse(fault)
  if (size > longestBytes) return refuse(`it is longer than ${longestBytes} bytes`)
  // One byte more than may be: a file that grows while it is read is not read to its end.
  const bytes = Buffer.alloc(longestBytes + 1)
  let length = 0
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length)
    length += bytesRead
    if (bytesRead === 0) break
    if (length > longestBytes) return refuse(`it is longer than ${longestBytes} bytes`)
  }
  const modifiedAt = WallTime(Number(mtimeNs / 1_000_000n))
  return { kind: 'text', text: bytes.toString('utf8', 0, length), modifiedAt, stamp }
}

/** Why somebody else could have written it; undefined: nobody could. */
export function ownershipFault(uid: number, mode: number): string | undefined {
  if (uid !== 0 && uid !== process.geteuid?.())
    return `it belongs to user ${uid}, who is neither root nor the agent`
  const shown = (mode & 0o7777).toString(8).padStart(4, '0')
  return (mode & 0o022) === 0 ? undefined : `others may write it (mode ${shown})`
}

function reasonOf(code: unknown, error: unknown): string {
  if (code === 'ELOOP') return 'it is a symbolic link'
  if (code === 'EACCES') return 'permission denied'
  // A socket cannot be opened at all.
  if (code === 'ENXIO') return 'it is not a file'
  return error instanceof Error ? error.message : String(error)
}
