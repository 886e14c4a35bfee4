import { formatIpAddress } from '@breakwater/core'
import type { Transport } from '@breakwater/core'
import type { LegalPath } from '../multihoming/legal-path.ts'

/** A legal path as it is shown. */
export interface PathReport {
  readonly transport: Transport
  readonly source: string
  readonly interface: string | undefined
  readonly remote: string
  readonly port: number
}

/** Paths last as long as their site, and are shown over and over. */
const pathReports = new WeakMap<LegalPath, PathReport>()

export function pathReport(path: LegalPath): PathReport {
  const known = pathReports.get(path) ?? describePath(path)
  pathReports.set(path, known)
  return known
}

function describePath(path: LegalPath): PathReport {
  return {
    transport: path.transport,
    source: formatIpAddress(path.source),
    interface: path.interface,
    remote: formatIpAddress(path.remote.address),
    port: path.remote.port
  }
}
