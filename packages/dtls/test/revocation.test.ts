import { ConfigError, ipv4 } from '@breakwater/core'
import type { CertificateCredentials, SocketAddress } from '@breakwater/core'
import { afterAll, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../src/memory-engine.ts'
import { settle } from './memory-pair.ts'
import { TestAuthority } from './pki.ts'
import type { Issued } from './pki.ts'

const authority = new TestAuthority('Breakwater test CA')
const stranger = new TestAuthority('Somebody else')
afterAll(() => {
  authority.remove()
  stranger.remove()
})

const serverAddress: SocketAddress = { address: ipv4(0xc0000201), port: 4646 }
const clientAddress: SocketAddress = { address: ipv4(0xc6336401), port: 40_000 }
const intermediate = authority.issueAuthority('Breakwater intermediate')
const server = authority.issue('server.example')
const good = authority.issue('good.example')
const bad = authority.issue('bad.example')
const below = authority.issue('below.example', { issuer: intermediate })

type Changes = Partial<CertificateCredentials>
const of = ({ certificate, privateKey }: Issued, changes: Changes = {}): CertificateCredentials => ({
  kind: 'certificate',
  certificate,
  privateKey,
  trustAnchors: authority.certificate,
  ...changes
})
const withChain = (issued: Issued): Issued => ({
  ...issued,
  certificate: issued.certificate + intermediate.certificate
})

const openServer = (credentials: CertificateCredentials): MemoryEngine =>
  new MemoryEngine({ role: 'server', local: serverAddress, certificate: credentials })

/** What the two sides report of a handshake, and the counter of undetermined certificates of both. */
function meet(
  ofServer: CertificateCredentials,
  ofClient: CertificateCredentials
): readonly (string | number)[] {
  const accepting = openServer(ofServer)
  const connecting = new MemoryEngine({ role: 'client', local: clientAddress, credentials: ofClient })
  connecting.connect(serverAddress, 'server.example')
  const takings = settle(accepting, connecting)
  const [told] = takings.server.reports
  const [answered] = takings.client.reports
  const word = (report: typeof told): string =>
    report === undefined ? 'nothing' : report.kind === 'established' ? report.kind : report.reason
  const unknown = [accepting, connecting].map((engine) => engine.stats()['revocationUnknown'] ?? 0)
  return [word(told), word(answered), ...unknown]
}

function refusalOf(crl: string | readonly string[]): ConfigError {
  try {
    openServer(of(server, { crl }))
  } catch (error) {
    if (error instanceof ConfigError) return error
  }
  throw new Error('it opened')
}

describe('with a revocation list', () => {
  const crl = authority.revoke([bad])

  it('a server takes clients whose certificate is not on it, and refuses those whose is', () => {
    expect(meet(of(server, { crl }), of(good))).toEqual(['established', 'established', 0, 0])
    expect(meet(of(server, { crl }), of(bad))).toEqual(['certificate-refused', 'peer-alert', 0, 0])
    expect(meet(of(server), of(bad))).toEqual(['established', 'established', 0, 0])
  })

  it('a client refuses a server whose certificate is on it', () => {
    const ofServer = authority.revoke([server])
    expect(meet(of(server), of(good, { crl: ofServer }))).toEqual(['peer-alert', 'certificate-refused', 0, 0])
    expect(meet(of(server), of(good, { crl }))).toEqual(['established', 'established', 0, 0])
  })

  it('of one issuer only, refuses what another one has signed: nobody knows', () => {
    const chained = of(withChain(below))
    expect(meet(of(server, { crl }), chained)).toEqual(['certificate-refused', 'peer-alert', 1, 0])
    const both = [crl, authority.revoke([], -1, 1, intermediate)]
    expect(meet(of(server, { crl: both }), chained)).toEqual(['established', 'established', 0, 0])
  })

  it('refuses what stands below a revoked intermediate', () => {
    const both = [authority.revoke([intermediate]), authority.revoke([], -1, 1, intermediate)]
    expect(meet(of(server, { crl: both }), of(withChain(below)))).toEqual([
      'certificate-refused',
      'peer-alert',
      0,
      0
    ])
  })

  it('needs none for a trust anchor that is an intermediate itself', () => {
    const own = authority.revoke([], -1, 1, intermediate)
    const trusting = of(server, { trustAnchors: intermediate.certificate, crl: own })
    expect(meet(trusting, of(withChain(below)))).toEqual(['established', 'established', 0, 0])
  })

  it('that somebody else has signed, takes nobody', () => {
    expect(meet(of(server, { crl: stranger.revoke([]) }), of(good))).toEqual([
      'certificate-refused',
      'peer-alert',
      1,
      0
    ])
  })
})

describe('does not open', () => {
  it('with a list that is out of date', () => {
    expect(refusalOf(authority.revoke([], -2, -1))).toMatchObject({
      code: 'DTLS_CRL_EXPIRED',
      problems: [{ path: 'certificate.crl' }]
    })
    expect(refusalOf([authority.revoke([]), authority.revoke([], -2, -1)]).code).toBe('DTLS_CRL_EXPIRED')
  })

  it('with a list that is not yet valid', () => {
    expect(refusalOf(authority.revoke([], 1, 2)).code).toBe('DTLS_CRL_EXPIRED')
  })

  it('with a list that is none', () => {
    expect(refusalOf('nothing').code).toBe('DTLS_CREDENTIALS_INVALID')
    expect(refusalOf(authority.revoke([]).slice(0, 200)).code).toBe('DTLS_CREDENTIALS_INVALID')
    expect(refusalOf('').code).toBe('DTLS_OPTIONS_INVALID')
    expect(refusalOf([]).code).toBe('DTLS_OPTIONS_INVALID')
  })
})
