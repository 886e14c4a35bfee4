import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DecodeError, Milliseconds } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import type { ProvisioningListener, ProvisioningSource, ProvisioningWatch } from '@breakwater/dots'
import { ageOf, bootTime } from './boot-clock.ts'
import { aged, decodeDrop } from './drop-format.ts'
import { FolderWatch } from './folder-watch.ts'
import { ownershipFault, readGuardedFile } from './guarded-file.ts'
import type { GuardedFile } from './guarded-file.ts'

/** No provisioner says more of one attachment. */
const LONGEST_FILE_BYTES = 65_536

/** As many attachments and leases as a site could have, and some. */
const MOST_FILES = 256

/** What else lies in the folder is somebody's work in progress, such as the file that will be renamed. */
const fileNamePattern = /^[A-Za-z0-9][A-Za-z0-9._:@_+-]{0,199}\.json$/

/** The calendar was put right: what was read by it has to be read again. */
const CALENDAR_STEP = Milliseconds(2000)

export interface DropDirectoryOptions {
  readonly path: string
  readonly clock: Clock
}

/**
 * A folder in which provisioners put one JSON file for each attachment or lease, renamed into place; one that goes takes
 * along what it said. A file that turns unreadable does not: what it said before holds until its lifetime ends.
 */
export function dropDirectory({ path, clock }: DropDirectoryOptions): ProvisioningSource {
  return {
    name: 'drop',
    watch: (listener) => {
      const reader = new DropReader(path, clock, listener)
      const folder = new FolderWatch(path, clock, () => reader.look())
      const watch: ProvisioningWatch = {
        ready: folder.ready,
        close: () => {
          reader.isClosed = true
          return folder.close()
        }
      }
      return watch
    }
  }
}

class DropReader {
  isClosed = false
  readonly #path: string
  readonly #clock: Clock
  readonly #listener: ProvisioningListener
  /** File → its stamp when it was read. */
  readonly #stamps = new Map<string, string>()
  readonly #told = new Set<string>()
  /** Place → what was said of it: it is not said again. */
  readonly #refusals = new Map<string, string>()
  /** Calendar minus monotonic clock. */
  #offset: number | undefined

  constructor(path: string, clock: Clock, listener: ProvisioningListener) {
    this.#path = path
    this.#clock = clock
    this.#listener = listener
  }

  async look(): Promise<void> {
    this.#noticeCalendarStep()
    const names = await this.#names()
    const files: (readonly [string, GuardedFile])[] = []
    for (const name of names) {
      const limits = { longestBytes: LONGEST_FILE_BYTES }
      files.push([name, await readGuardedFile(join(this.#path, name), limits, this.#stamps.get(name))])
    }
    if (this.isClosed) return
    const present = new Set(files.filter(([, { kind }]) => kind !== 'absent').map(([name]) => name))
    for (const name of new Set([...this.#told, ...this.#stamps.keys(), ...this.#refusals.keys()]))
      if (name !== '' && !present.has(name)) this.#forget(name)
    // Who came first is senior, also where several are found at once.
    for (const [name, file] of files.toSorted(([, x], [, y]) => writtenAt(x) - writtenAt(y)))
      this.#take(name, file)
  }

  #noticeCalendarStep(): void {
    const offset = this.#clock.wallClock() - this.#clock.now()
    if (this.#offset !== undefined && Math.abs(offset - this.#offset) > CALENDAR_STEP) this.#stamps.clear()
    this.#offset = offset
  }

  async #names(): Promise<readonly string[]> {
    try {
      const { uid, mode } = await stat(this.#path)
      const fault = ownershipFault(uid, mode)
      if (fault !== undefined) return this.#refuseFolder(fault)
      const all = (await readdir(this.#path)).filter((name) => fileNamePattern.test(name)).toSorted()
      if (all.length > MOST_FILES)
        this.#refuse('', `it has ${all.length} files; the first ${MOST_FILES} are read`)
      else this.#refusals.delete('')
      return all.slice(0, MOST_FILES)
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      return this.#refuseFolder(isMissing ? 'it does not exist' : String(error))
    }
  }

  #refuseFolder(reason: string): readonly string[] {
    this.#refuse('', reason)
    return []
  }

  #take(name: string, file: GuardedFile): void {
    if (file.kind === 'unchanged' || file.kind === 'absent') return
    if (file.stamp !== undefined) this.#stamps.set(name, file.stamp)
    if (file.kind === 'refused') return this.#refuse(name, file.reason)
    try {
      const { configuration, writtenAt: at = file.modifiedAt, boot } = decodeDrop(file.text)
      const now = { wallClock: this.#clock.wallClock(), boot: bootTime() }
      const age = ageOf({ at, ...(boot === undefined ? {} : { boot }) }, now)
      this.#refusals.delete(name)
      this.#told.add(name)
      this.#listener.learnt(name, aged(configuration, age))
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#refuse(name, error.message)
    }
  }

  #forget(name: string): void {
    this.#stamps.delete(name)
    this.#refusals.delete(name)
    if (this.#told.delete(name)) this.#listener.withdrawn(name)
  }

  #refuse(name: string, reason: string): void {
    if (this.#refusals.get(name) === reason) return
    this.#refusals.set(name, reason)
    this.#listener.refused(join(this.#path, name), reason)
  }
}

function writtenAt(file: GuardedFile): number {
  return file.kind === 'text' ? file.modifiedAt : 0
}
