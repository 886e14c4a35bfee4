import { basename, dirname } from 'node:path'
import { DecodeError } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import type { LearntConfiguration, ProvisioningListener, ProvisioningSource } from '@breakwater/dots'
import { dhclientLeases } from './dhclient-leases.ts'
import { FolderWatch } from './folder-watch.ts'
import { readGuardedFile } from './guarded-file.ts'

/** dhclient writes its file anew now and then; it does not get that long. */
const LONGEST_FILE_BYTES = 1_048_576

export interface LeaseFileOptions {
  /** A lease file of dhclient, for DHCPv4 or DHCPv6. */
  readonly path: string
  readonly clock: Clock
}

/** The leases of dhclient, for where no hook can be installed. One that is not there yet has none. */
export function leaseFile({ path, clock }: LeaseFileOptions): ProvisioningSource {
  return {
    name: `leases ${basename(path)} in ${dirname(path)}`,
    watch: (listener) => {
      const reader = new LeaseReader(path, clock, listener)
      const folder = new FolderWatch(dirname(path), clock, () => reader.look())
      return {
        ready: folder.ready,
        close: () => {
          reader.isClosed = true
          return folder.close()
        }
      }
    }
  }
}

class LeaseReader {
  isClosed = false
  readonly #path: string
  readonly #clock: Clock
  readonly #listener: ProvisioningListener
  #stamp: string | undefined
  #told: ReadonlySet<string> = new Set()
  #complaint: string | undefined

  constructor(path: string, clock: Clock, listener: ProvisioningListener) {
    this.#path = path
    this.#clock = clock
    this.#listener = listener
  }

  async look(): Promise<void> {
    const limits = { longestBytes: LONGEST_FILE_BYTES, followsLinks: true } as const
    const file = await readGuardedFile(this.#path, limits, this.#stamp)
    if (this.isClosed || file.kind === 'unchanged') return
    this.#stamp = file.kind === 'absent' ? undefined : file.stamp
    if (file.kind === 'absent') return this.#tell(new Map())
    if (file.kind === 'refused') return this.#refuse(file.reason)
    try {
      this.#tell(dhclientLeases(file.text, this.#clock.wallClock()))
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      // What it said before holds until its lifetime ends.
      this.#refuse(error.message)
    }
  }

  #tell(leases: ReadonlyMap<string, LearntConfiguration>): void {
    this.#complaint = undefined
    for (const key of this.#told) if (!leases.has(key)) this.#listener.withdrawn(key)
    this.#told = new Set(leases.keys())
    for (const [key, lease] of leases) this.#listener.learnt(key, lease)
  }

  #refuse(reason: string): void {
    if (reason === this.#complaint) return
    this.#complaint = reason
    this.#listener.refused(this.#path, reason)
  }
}
