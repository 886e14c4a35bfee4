import type { PlaintextBatch, SecureStreamEndpoint } from '@breakwater/core'
import { openTlsEndpoint } from '@breakwater/runtime'
import { RecordingHandlers } from '@breakwater/testing'
import type { StreamServerOverrides } from '@breakwater/testing'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { loopback, psk, pskIdentity, TestAuthority } from './dtls-parties.ts'

export interface StreamServer {
  readonly endpoint: SecureStreamEndpoint
  readonly log: RecordingHandlers
}

export const oneKey: StreamServerOverrides = { preSharedKeys: new Map([[pskIdentity, psk]]) }

/** A TLS server of ours for certificates of `authority`; with `oneKey`, for the pre-shared key, too. */
export async function openStreamServer(
  authority: TestAuthority,
  overrides: StreamServerOverrides = {}
): Promise<StreamServer> {
  const log = new RecordingHandlers()
  const certificate = authority.credentials('server.example')
  const endpoint = await openTlsEndpoint({ role: 'server', local: loopback, certificate, ...overrides }, log)
  return { endpoint, log }
}

/** Sends back whatever comes. */
export function echo({ endpoint, log }: StreamServer): void {
  log.beforeBatch = (batch: PlaintextBatch) => {
    for (let index = 0; index < batch.count; index++) endpoint.send(batch.peer(index), batch.bytes(index))
  }
}

/** A TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

export { loopback, psk, pskIdentity, TestAuthority }
