import { connect } from 'node:tls'
import type { SecureVersion } from 'node:tls'

import { RecordingHandlers } from '@breakwater/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { Credentials } from '../../../dtls/test/loopback-parties.ts'
import { TestAuthority } from '../../../dtls/test/pki.ts'
import { TlsWorld } from './tls-world.ts'

let trusted: TestAuthority
let strange: TestAuthority
let world: TlsWorld

beforeAll(() => {
  trusted = new TestAuthority('Breakwater test CA')
  strange = new TestAuthority('another CA')
})
beforeEach(() => void (world = new TlsWorld(new Credentials(trusted, strange))))
afterEach(() => world.close())
afterAll(() => {
  trusted.remove()
  strange.remove()
})

/** Connects, and waits until the server has let it in and there is a session to keep. */
async function visit(
  log: RecordingHandlers,
  port: number,
  version: SecureVersion,
  offered: Buffer | undefined
): Promise<{ readonly isResumed: boolean; readonly session: Buffer | undefined }> {
  const { certificate, privateKey, trustAnchors } = world.certificate('client')
  const before = log.established().length
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: world.serverName,
    cert: certificate,
    key: privateKey,
    ca: trustAnchors,
    minVersion: version,
    maxVersion: version,
    ALPNProtocols: ['coap'],
    ...(offered === undefined ? {} : { session: offered })
  })
  let session: Buffer | undefined
  socket.on('error', () => undefined).on('session', (given) => (session = given))
  socket.resume()
  try {
    const hasWhatItWants = (): boolean => offered !== undefined || session !== undefined
    await world.until(() => log.established().length > before && hasWhatItWants())
    return { isResumed: socket.isSessionReused(), session }
  } finally {
    socket.destroy()
  }
}

describe('a TLS server and a client that would resume', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'meet by a full handshake in %s, in which the certificate is looked at again',
    async (version) => {
      const log = new RecordingHandlers()
      const { local } = await world.openServer(log)
      const first = await visit(log, local.port, version, undefined)
      expect(first.session).toBeDefined()
      expect(await visit(log, local.port, version, first.session)).toMatchObject({ isResumed: false })
    }
  )
})
