import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readFile, rename, unlink } from 'node:fs/promises'
import { makeFolderOf } from './make-folder.ts'

/** No file of ours is longer; another one is not read to its end. */
const longestFileBytes = 16 * 1024 * 1024

/**
 * Reads a file of our own that nobody else may look into; undefined when there is none yet.
 * @throws the error of the system, or one that says what is wrong with the file.
 */
export async function readSecretFile(path: string): Promise<string | undefined> {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK
  const file = await open(path, flags).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    const status = await file.stat()
    if (!status.isFile()) throw new Error(`${path} is not a file`)
    if ((status.mode & 0o077) !== 0) throw new Error(`${path} is open to others`)
    if (status.size > longestFileBytes) throw new Error(`${path} is longer than ${longestFileBytes} bytes`)
    return await readFile(file, 'utf8')
  } finally {
    await file.close()
  }
}

/** Writes such a file, whole or not at all: a crash leaves the old one or the new one. Rejects with the system's error. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  makeFolderOf(path)
  const beside = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(beside, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(beside, path).catch(async (error: unknown) => {
    await unlink(beside).catch(() => undefined)
    throw error
  })
}
