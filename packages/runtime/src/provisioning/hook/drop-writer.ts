import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UnavailableError, WallTime } from '@breakwater/core'
import type { DomainName } from '@breakwater/dots'
import { bootTime } from '../boot-clock.ts'
import { encodeDrop } from '../drop-format.ts'
import type { HookOutcome } from './hook-outcome.ts'

export interface DropChange {
  readonly written: readonly string[]
  readonly removed: readonly string[]
}

/**
 * Brings a drop directory to what an event means; whoever reads there sees each file whole or not at all.
 * @param domain Names the domain in each file.
 * @throws UnavailableError `RUNTIME_DROP_UNWRITABLE`.
 */
export async function applyToDropDirectory(
  folder: string,
  outcome: HookOutcome,
  domain?: DomainName
): Promise<DropChange> {
  try {
    if (outcome.write.length > 0) await mkdir(folder, { recursive: true, mode: 0o755 })
    for (const { name, configuration } of outcome.write) {
      const named = domain === undefined ? configuration : { ...configuration, domain }
      const boot = bootTime()
      const file = {
        configuration: named,
        writtenAt: WallTime(Date.now()),
        ...(boot === undefined ? {} : { boot })
      }
      await replaceFile(folder, name, encodeDrop(file))
    }
    const removed = await namesOf(folder, outcome.remove)
    for (const name of removed) await rm(join(folder, name), { force: true })
    return { written: outcome.write.map(({ name }) => name), removed }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UnavailableError('RUNTIME_DROP_UNWRITABLE', `cannot write in ${folder}: ${reason}`, true, {
      cause
    })
  }
}

async function replaceFile(folder: string, name: string, text: string): Promise<void> {
  // Two hooks may run at once: each has a name of its own until the rename.
  const temporary = join(folder, `.${name}.${process.pid}.tmp`)
  try {
    // Whatever lies there under this name is not ours: it is not written through.
    await rm(temporary, { force: true })
    const file = await open(temporary, 'wx', 0o644)
    try {
      await file.writeFile(text)
    } finally {
      await file.close()
    }
    await rename(temporary, join(folder, name))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** The files that there are of these names and beginnings of names. */
async function namesOf(folder: string, wanted: readonly string[]): Promise<string[]> {
  if (wanted.length === 0) return []
  const all = await readdir(folder).catch(() => [])
  return all.filter((name) =>
    wanted.some((each) => (each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each))
  )
}
