import { join } from 'node:path'
import type { DtlsBed } from '../dtls-bed.ts'
import { startDotsAgent } from './dots-agent.ts'
import type { DotsAgent } from './dots-agent.ts'

/**
 * A whole `dots server` (its control API, log and SQLite store with it) whose one client comes with the certificate of the
 * bed. What the server can do is measured, not what it lets one client do.
 */
export function startCertificateServer({ authority }: DtlsBed): Promise<DotsAgent> {
  const { certificateFile, keyFile } = authority.issue('server.example')
  return startDotsAgent({
    role: 'server',
    folder: authority.folder,
    core: 0,
    config: {
      listen: [{ address: '127.0.0.1', port: 0 }],
      credentials: {
        certificate: certificateFile,
        privateKey: keyFile,
        trustAnchors: authority.certificateFile
      },
      clients: [{ name: 'home', identity: { dnsName: 'client.example' }, prefixes: ['192.0.2.0/24'] }],
      limits: { requestsPerClientPerSecond: 1_000_000, requestBurstPerClient: 1_000_000 },
      mitigator: { kind: 'dry-run' },
      store: { path: join(authority.folder, 'store.db') }
    }
  })
}
