import type { CertificateCredentials } from '@breakwater/core'
import { RecordingHandlers } from '@breakwater/testing'
import { afterAll, afterEach, describe, expect, it } from 'vitest'

import { TestAuthority } from '../../../dtls/test/pki.ts'
import type { Issued } from '../../../dtls/test/pki.ts'
import { Credentials } from '../../../dtls/test/loopback-parties.ts'
import { TlsWorld } from './tls-world.ts'

const authority = new TestAuthority('Breakwater test CA')
const good = authority.issue('server.example')
const revoked = authority.issue('server.example')
const crl = authority.revoke([revoked])
let world: TlsWorld

afterEach(() => world.close())
afterAll(() => authority.remove())

function of({ certificate, privateKey }: Issued): CertificateCredentials {
  return { kind: 'certificate', certificate, privateKey, trustAnchors: authority.certificate }
}

/** What a client with these lists makes of a server with this certificate. */
async function verdict(server: Issued, lists: string | readonly string[]): Promise<string> {
  world = new TlsWorld(new Credentials(authority, authority))
  const accepting = await world.openServer(new RecordingHandlers(), { certificate: of(server) })
  const log = new RecordingHandlers()
  const credentials = { ...of(authority.issue('client.example')), crl: lists }
  const client = await world.openClient(log, { credentials })
  const peer = client.connect({ remote: accepting.local, serverName: 'server.example' })
  await world.until(() => log.events.length > 0)
  return log.failureOf(peer) ?? 'established'
}

describe('with a revocation list, a TLS client', () => {
  it('takes a certificate that is not on it', async () => {
    expect(await verdict(good, crl)).toBe('established')
  })

  it('refuses one that is', async () => {
    expect(await verdict(revoked, [crl])).toBe('certificate-refused')
  })

  it('refuses all when the list is out of date: revoked or not, nobody knows', async () => {
    expect(await verdict(good, authority.revoke([], -2, -1))).toBe('certificate-refused')
  })

  it.each([[[]], [''], [['', ' ']]])('does not open when %j is all it is to go by', async (lists) => {
    await expect(verdict(good, lists)).rejects.toMatchObject({
      code: 'TLS_CREDENTIALS_INVALID',
      problems: [{ path: 'credentials.crl', message: 'no PEM certificate revocation list' }]
    })
  })
})
