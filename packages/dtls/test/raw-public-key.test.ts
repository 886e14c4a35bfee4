import { ipv4 } from '@breakwater/core'
import type { ClientCredentials, RawPublicKeyCredentials, ServerEndpointOptions } from '@breakwater/core'
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NativeReport } from '../src/addon.ts'
import { MemoryEngine } from '../src/memory-engine.ts'
import { settle } from './memory-pair.ts'
import type { PairTakings } from './memory-pair.ts'
import { TestAuthority } from './pki.ts'
import { digestOfKey, newRawKey } from './raw-keys.ts'
import type { TestRawKey } from './raw-keys.ts'

const serverName = 'server.example'
const psk = { kind: 'psk', identity: 'site-1', key: Buffer.from('0123456789abcdef') } as const
const serverKey = newRawKey()
const clientKey = newRawKey()
const stranger = newRawKey()

const trusting = (own: TestRawKey, ...others: readonly string[]): RawPublicKeyCredentials => ({
  ...own.credentials,
  peerKeys: others
})

type ServerParts = Partial<Omit<ServerEndpointOptions, 'role' | 'local'>>

function openServer(options: ServerParts): MemoryEngine {
  return new MemoryEngine({ role: 'server', local: { address: ipv4(0x0a000001), port: 4646 }, ...options })
}

function meet(options: ServerParts, credentials: ClientCredentials, name = serverName): PairTakings {
  const server = openServer(options)
  const client = new MemoryEngine({
    role: 'client',
    local: { address: ipv4(0x0a000002), port: 40_000 },
    credentials
  })
  client.connect(server.local, name)
  return settle(server, client)
}

const outcomes = ({ reports }: { readonly reports: readonly NativeReport[] }): readonly unknown[] =>
  reports.map((report) => (report.kind === 'established' ? report.identity : report.reason))

const size = ({ toServer, toClient }: PairTakings): number =>
  [...toServer, ...toClient].reduce((sum, { length }) => sum + length, 0)

const short = (digest: string): string => digest.slice(0, 30).toUpperCase()

describe('two sides with raw public keys', () => {
  it('know each other by their keys alone, with no name and no authority [RFC9132-7.1-M05]', () => {
    for (const name of [serverName, '']) {
      const rawPublicKey = trusting(serverKey, stranger.digest, clientKey.digest)
      const takings = meet({ rawPublicKey }, trusting(clientKey, serverKey.digest), name)
      expect(outcomes(takings.server)).toEqual([{ kind: 'raw-public-key', spkiSha256: clientKey.digest }])
      expect(outcomes(takings.client)).toEqual([{ kind: 'raw-public-key', spkiSha256: serverKey.digest }])
    }
  })

  it('exchange less than with certificates', () => {
    const authority = new TestAuthority('Breakwater test CA')
    const raw = meet(
      { rawPublicKey: trusting(serverKey, clientKey.digest) },
      trusting(clientKey, serverKey.digest)
    )
    const certified = meet(
      { certificate: authority.credentials(serverName) },
      authority.credentials('client.example')
    )
    expect(size(raw)).toBeLessThan(size(certified) - 2 * 300)
    authority.remove()
  })

  it('refuse a client whose key is not on the list', () => {
    const takings = meet(
      { rawPublicKey: trusting(serverKey, clientKey.digest) },
      trusting(stranger, serverKey.digest)
    )
    expect(outcomes(takings.server)).toEqual(['certificate-refused'])
    expect(outcomes(takings.client)).toEqual(['peer-alert'])
  })

  it('refuse a server whose key is not on the list', () => {
    const takings = meet(
      { rawPublicKey: trusting(stranger, clientKey.digest) },
      trusting(clientKey, serverKey.digest)
    )
    expect(outcomes(takings.client)).toEqual(['certificate-refused'])
    expect(outcomes(takings.server)).toEqual(['peer-alert'])
  })

  it('compare digests of 120 bits, and of 256 [RFC7252-9.1.3.2.1-M01] [RFC7252-9.1.3.2.1-S01]', () => {
    const takings = meet(
      { rawPublicKey: trusting(serverKey, short(clientKey.digest)) },
      trusting(clientKey, short(serverKey.digest))
    )
    expect(outcomes(takings.client)).toMatchObject([{ spkiSha256: serverKey.digest }])
    const other = meet(
      { rawPublicKey: trusting(serverKey, short(stranger.digest)) },
      trusting(clientKey, serverKey.digest)
    )
    expect(outcomes(other.server)).toEqual(['certificate-refused'])
  })

  it('take no digest that is shorter still, or none at all [RFC7252-9.1.3.2.1-S02]', () => {
    for (const peerKeys of [[], [''], ['ab'], [clientKey.digest.slice(0, 29)], ['x'.repeat(64)]])
      expect(() => openServer({ rawPublicKey: { ...serverKey.credentials, peerKeys } })).toThrow(
        expect.objectContaining({ name: 'ConfigError' })
      )
  })

  it('have keys for ECDSA: P-256 as every one must, and P-384 [RFC7252-9.1.3.2-M02] [RFC7252-9.1.3.2-M03]', () => {
    const larger = newRawKey('P-384')
    const takings = meet(
      { rawPublicKey: trusting(larger, clientKey.digest) },
      trusting(clientKey, larger.digest)
    )
    expect(outcomes(takings.client)).toMatchObject([{ spkiSha256: larger.digest }])
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const pem = rsa.export({ type: 'pkcs8', format: 'pem' }).toString()
    for (const privateKey of [pem, 'not a key'])
      expect(() =>
        openServer({ rawPublicKey: { kind: 'raw-public-key', privateKey, peerKeys: [clientKey.digest] } })
      ).toThrow(
        expect.objectContaining({
          code: 'DTLS_CREDENTIALS_INVALID',
          problems: [expect.objectContaining({ path: 'rawPublicKey.privateKey' })]
        })
      )
  })

  it('may know several keys of the other side [RFC7252-9.1.3.2.1-S04] [RFC7252-9.1.3.2-O01]', () => {
    const rawPublicKey = trusting(serverKey, clientKey.digest, stranger.digest)
    for (const each of [clientKey, stranger])
      expect(outcomes(meet({ rawPublicKey }, trusting(each, serverKey.digest)).server)).toEqual([
        { kind: 'raw-public-key', spkiSha256: each.digest }
      ])
  })
})

describe('a server with a certificate, a raw key and pre-shared keys', () => {
  let authority: TestAuthority
  let options: ServerParts
  beforeAll(() => {
    authority = new TestAuthority('Breakwater test CA')
    const certificate = authority.credentials(serverName)
    const rawPublicKey = {
      kind: 'raw-public-key',
      privateKey: certificate.privateKey,
      peerKeys: [clientKey.digest]
    } as const
    options = { certificate, rawPublicKey, preSharedKeys: new Map([[psk.identity, psk.key]]) }
  })
  afterAll(() => authority.remove())

  const digestOfServer = (): string => digestOfKey(options.certificate?.certificate ?? '')

  it('takes each client by what it has', () => {
    const certified = meet(options, authority.credentials('client.example'))
    expect(outcomes(certified.server)).toMatchObject([{ kind: 'certificate', dnsNames: ['client.example'] }])
    const raw = meet(options, trusting(clientKey, digestOfServer()))
    expect(outcomes(raw.server)).toEqual([{ kind: 'raw-public-key', spkiSha256: clientKey.digest }])
    expect(outcomes(raw.client)).toEqual([{ kind: 'raw-public-key', spkiSha256: digestOfServer() }])
    expect(outcomes(meet(options, psk).server)).toEqual([{ kind: 'psk', identity: 'site-1' }])
  })

  it('takes no certificate of a stranger because raw keys are taken, and no unlisted key because certificates are', () => {
    const other = new TestAuthority('another CA')
    const strange = meet(options, other.credentials('client.example', authority))
    expect(outcomes(strange.server)).toEqual(['certificate-refused'])
    // The key of a good certificate, shown without it.
    const { privateKey } = authority.credentials('client.example')
    const bare = { kind: 'raw-public-key', privateKey, peerKeys: [digestOfServer()] } as const
    expect(outcomes(meet(options, bare).server)).toEqual(['certificate-refused'])
    other.remove()
  })

  it('opens only when the raw key is that of the certificate', () => {
    const rawPublicKey = trusting(serverKey, clientKey.digest)
    expect(() => openServer({ ...options, rawPublicKey })).toThrow(
      expect.objectContaining({
        code: 'DTLS_CREDENTIALS_INVALID',
        problems: [expect.objectContaining({ path: 'rawPublicKey.privateKey' })]
      })
    )
  })

  it('leaves a client that does not speak its kind of certificate', () => {
    const rawOnly = { rawPublicKey: trusting(serverKey, clientKey.digest) }
    const { server: atRaw, client: certified } = meet(rawOnly, authority.credentials('client.example'))
    expect([outcomes(atRaw).length, outcomes(certified)]).toEqual([1, ['peer-alert']])
    const certificateOnly = { certificate: authority.credentials(serverName) }
    const { server: atCertificate, client: raw } = meet(
      certificateOnly,
      trusting(clientKey, serverKey.digest)
    )
    expect(outcomes(atCertificate)).not.toContainEqual(expect.objectContaining({ kind: 'raw-public-key' }))
    expect(outcomes(raw)).toHaveLength(1)
    expect(outcomes(raw)).not.toContainEqual(expect.objectContaining({ kind: 'raw-public-key' }))
  })
})
