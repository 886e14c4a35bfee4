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

/** As people are shown it: `udp wan-a 198.51.100.1 to 192.0.2.1:4646`. */
export function pathText({ transport, source, interface: via, remote, port }: PathReport): string {
  const to = remote.includes(':') ? `[${remote}]:${port}` : `${remote}:${port}`
  return [transport, ...(via === undefined ? [] : [via]), source, 'to', to].join(' ')
}

/** The same of a legal path. */
export function pathWords(path: LegalPath): string {
  return pathText(pathReport(path))
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
