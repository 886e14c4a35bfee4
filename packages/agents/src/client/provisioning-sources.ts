import { join } from 'node:path'
import { UnavailableError } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import type { ProvisioningSource } from '@breakwater/dots'
import { dropDirectory, kernelAdvertisements, leaseFile } from '@breakwater/runtime'
import type { ClientConfig } from '../config/client-config.ts'
import type { ConfigFiles } from '../config/file-format.ts'
import { makeFolderOf } from '../make-folder.ts'

/** Where the domains of this configuration learn from; nowhere, where none learns. */
export function provisioningSources(
  { domains, provisioning }: ClientConfig,
  files: ConfigFiles,
  clock: Clock
): ProvisioningSource[] {
  if (domains.every(({ learn }) => learn === undefined)) return []
  const path = files.absolute(provisioning?.dropDirectory ?? '')
  makeDropDirectory(path)
  const drop = dropDirectory({ path, clock })
  const leases = (provisioning?.leaseFiles ?? []).map((file) =>
    leaseFile({ path: files.absolute(file), clock })
  )
  const learning = domains.flatMap(({ interfaces: own = [], learn }) =>
    learn === undefined ? [] : learn.interface === undefined ? own : [learn.interface]
  )
  const interfaces = [...new Set(learning)]
  const advertised =
    provisioning?.advertisements === false ? [] : [kernelAdvertisements({ clock, interfaces })]
  return [drop, ...leases, ...advertised]
}

/** For whoever is to write there; where it cannot be made, its reader says so, and finds it when somebody else made it. */
function makeDropDirectory(path: string): void {
  try {
    makeFolderOf(join(path, 'file'))
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
  }
}
