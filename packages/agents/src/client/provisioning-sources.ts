import { join } from 'node:path'
import { UnavailableError } from '@breakwater/core'
import type { Clock } from '@breakwater/core'
import type { LearnRule, ProvisioningSource } from '@breakwater/dots'
import { dropDirectory, kernelAdvertisements, leaseFile } from '@breakwater/runtime'
import type { ClientConfig } from '../config/client-config.ts'
import type { ConfigFiles } from '../config/file-format.ts'
import { makeFolderOf } from '../make-folder.ts'

/** Where domains learn from by these rules; nowhere, where none learns. */
export function provisioningSources(
  { provisioning }: Pick<ClientConfig, 'provisioning'>,
  rules: readonly LearnRule[],
  files: ConfigFiles,
  clock: Clock
): ProvisioningSource[] {
  if (rules.length === 0) return []
  const path = files.absolute(provisioning?.dropDirectory ?? '')
  makeDropDirectory(path)
  const drop = dropDirectory({ path, clock })
  const leases = (provisioning?.leaseFiles ?? []).map((file) =>
    leaseFile({ path: files.absolute(file), clock })
  )
  const interfaces = [...new Set(rules.flatMap((rule) => rule.interfaces))]
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
