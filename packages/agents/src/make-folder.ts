import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { UnavailableError } from '@breakwater/core'

/**
 * Makes the folder of a file, for the agent's own account only, with all folders above that are missing.
 * One by one: Node's recursive mkdir never returns below /proc, where a folder can neither be found nor made.
 * @throws UnavailableError when something is in the way or forbids it.
 */
export function makeFolderOf(file: string): void {
  const folder = dirname(file)
  try {
    make(folder)
  } catch (cause) {
    const message = `cannot make the folder ${folder}: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new UnavailableError('CONFIG_FOLDER_UNUSABLE', message, false, { cause })
  }
}

function make(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return
  if (dirname(folder) !== folder) make(dirname(folder))
  mkdirSync(folder, { mode: 0o700 })
}
