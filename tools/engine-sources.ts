import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const native = join(import.meta.dirname, '../packages/dtls/native')

/** What has Node around it; without that, the engine and its socket make programs of their own. */
const needsNode = /(?:napi|node-endpoint|memory-endpoint|bound-connect|packed-reports|addon)/

/** The sources and headers of the DTLS engine and its socket. */
export function engineSources(): readonly string[] {
  return cppFilesIn(native).filter((file) => !needsNode.test(file.slice(native.length)))
}

/** Sources and headers of a folder, in order. */
export function cppFilesIn(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => /\.(?:cc|h)$/.test(name))
  return names.toSorted().map((name) => join(folder, name))
}
