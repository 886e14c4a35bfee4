import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateCredentials } from '@breakwater/core'
import { TestAuthority } from '../packages/dtls/test/pki.ts'
import { buildBenchAddon } from './native/bench-addon.ts'

/** What the processes of a benchmark over DTLS have in common: the addon with the load generators, and who they are. */
export interface DtlsBed {
  /** Path of the addon. */
  readonly addon: string
  readonly authority: TestAuthority
  /** Path of what both sides show. */
  readonly credentials: string
  readonly client: CertificateCredentials
  readonly serverCredentials: CertificateCredentials
}

/** Makes a bed, and leaves nothing of it. */
export async function onDtlsBed<Result>(act: (bed: DtlsBed) => Promise<Result>): Promise<Result> {
  const addon = buildBenchAddon()
  const authority = new TestAuthority('Breakwater bench CA')
  try {
    const credentials = join(authority.folder, 'credentials.json')
    const server = authority.credentials('server.example')
    const client = authority.credentials('client.example')
    writeFileSync(credentials, JSON.stringify({ server, client }))
    return await act({ addon, authority, credentials, client, serverCredentials: server })
  } finally {
    authority.remove()
  }
}
