import type { CertificateCredentials, PeerId } from '@breakwater/core'
import { RecordingHandlers } from '@breakwater/testing'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestAuthority } from '../../../dtls/test/pki.ts'
import type { Issued } from '../../../dtls/test/pki.ts'
import { certificateIdentity, certificateNames } from '../../src/tls/identity.ts'
import { subjectPublicKeyInfo } from '../../src/tls/subject-public-key.ts'
import { Credentials } from '../../../dtls/test/loopback-parties.ts'
import { TlsWorld } from './tls-world.ts'

let authority: TestAuthority
let world: TlsWorld
let serverName: string
beforeEach(() => {
  serverName = 'server.example'
})
beforeAll(() => {
  authority = new TestAuthority('Breakwater test CA')
})
afterAll(() => authority.remove())
afterEach(() => world.close())

/** What the client makes of a server that shows `leaf`, then the `intermediates`. */
async function verdict(leaf: Issued, ...intermediates: readonly Issued[]): Promise<string> {
  world = new TlsWorld(new Credentials(authority, authority))
  const chain = [leaf, ...intermediates].map(({ certificate }) => certificate).join('')
  const certificate: CertificateCredentials = {
    kind: 'certificate',
    certificate: chain,
    privateKey: leaf.privateKey,
    trustAnchors: authority.certificate
  }
  const server = await world.openServer(new RecordingHandlers(), { certificate })
  const log = new RecordingHandlers()
  const client = await world.openClient(log)
  const peer: PeerId = client.connect({ remote: server.local, serverName })
  await world.until(() => log.events.length > 0)
  return log.failureOf(peer) ?? 'established'
}

describe('a client follows the certification path of the server to its end', () => {
  it('takes one that leads to a trust anchor [RFC9132-7.1-M03]', async () => {
    const intermediate = authority.issueAuthority('intermediate')
    expect(await verdict(authority.issue('server.example', { issuer: intermediate }), intermediate)).toBe(
      'established'
    )
  })

  it('refuses one with a gap [RFC9132-7.1-M03]', async () => {
    const intermediate = authority.issueAuthority('intermediate')
    expect(await verdict(authority.issue('server.example', { issuer: intermediate }))).toBe(
      'certificate-refused'
    )
  })

  it('refuses one through a certificate that may not sign [RFC9132-7.1-M03]', async () => {
    const neighbour = authority.issue('neighbour.example')
    expect(await verdict(authority.issue('server.example', { issuer: neighbour }), neighbour)).toBe(
      'certificate-refused'
    )
  })

  it('refuses one that has expired [RFC9132-7.1-M03]', async () => {
    expect(await verdict(authority.issue('server.example', { days: -1 }))).toBe('certificate-refused')
  })

  it('refuses one that was made for clients only', async () => {
    expect(await verdict(authority.issue('server.example', { usage: 'clientAuth' }))).toBe(
      'certificate-refused'
    )
  })

  it('refuses a name that stands in the common name only [RFC9132-7.1-M04]', async () => {
    expect(await verdict(authority.issue('other.example', { commonName: 'server.example' }))).toBe(
      'name-mismatch'
    )
  })

  it.each([['*.server.example'], ['do*.server.example'], ['*.example'], ['*.dots.server.example']])(
    'takes no wildcard: %s',
    async (name) => {
      serverName = 'dots.server.example'
      expect(await verdict(authority.issue(name))).toBe('name-mismatch')
    }
  )
})

describe('a client', () => {
  it('puts the name of the server into SNI [RFC9132-7.1-S03]', async () => {
    world = new TlsWorld(new Credentials(authority, authority))
    const { certificate, privateKey } = world.certificate('server')
    const asked: string[] = []
    const server = createServer({
      cert: certificate,
      key: privateKey,
      ALPNProtocols: ['coap'],
      SNICallback: (name, done) => {
        asked.push(name)
        done(null)
      }
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = await world.openClient(new RecordingHandlers())
    const { port } = server.address() as AddressInfo
    client.connect({ remote: { address: world.address('server', 4), port }, serverName: 'Server.Example' })
    await world.until(() => asked.length > 0)
    expect(asked).toEqual(['server.example'])
    server.close()
  })
})

describe('the identity of a certificate', () => {
  it('is not in its common name, even where there is no other name [RFC9132-7.1-M04]', () => {
    world = new TlsWorld(new Credentials(authority, authority))
    const unnamed = new X509Certificate(authority.issueAuthority('server.example').certificate)
    expect(certificateNames(unnamed, 'server.example')).toBe(false)
    const named = new X509Certificate(authority.issue('server.example').certificate)
    expect(certificateNames(named, 'server.example')).toBe(true)
  })

  it('has the digest of the key as its issuer signed it, names in lower case, and the common name', () => {
    world = new TlsWorld(new Credentials(authority, authority))
    const issued = authority.issue('UPPER.example', { commonName: 'somebody' })
    const certificate = new X509Certificate(issued.certificate)
    const identity = certificateIdentity(certificate)
    expect(identity).toMatchObject({ dnsNames: ['upper.example'], subject: 'somebody' })
    const exported = certificate.publicKey.export({ type: 'spki', format: 'der' })
    expect(Buffer.from(subjectPublicKeyInfo(certificate.raw) ?? []).equals(exported)).toBe(true)
  })

  it('is none when the certificate breaks off, wherever', () => {
    world = new TlsWorld(new Credentials(authority, authority))
    const { raw } = new X509Certificate(authority.issue('short.example').certificate)
    for (let length = 0; length < raw.length; length++)
      expect(subjectPublicKeyInfo(raw.subarray(0, length))).toBeUndefined()
  })
})
