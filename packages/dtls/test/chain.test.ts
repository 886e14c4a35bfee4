import { ipv4 } from '@breakwater/core'
import type { CertificateCredentials } from '@breakwater/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../src/memory-engine.ts'
import { settle } from './memory-pair.ts'
import { TestAuthority } from './pki.ts'
import type { Issued } from './pki.ts'

const serverName = 'dots.server.example'

describe('a client follows the certification path of the server to its end', () => {
  let authority: TestAuthority
  let ours: CertificateCredentials
  beforeAll(() => {
    authority = new TestAuthority('Breakwater test CA')
    ours = authority.credentials('client.example')
  })
  afterAll(() => authority.remove())

  /** What the client makes of a server that shows `leaf`, then the `intermediates`. */
  function verdict(leaf: Issued, ...intermediates: readonly Issued[]): string {
    const chain = [leaf, ...intermediates].map(({ certificate }) => certificate).join('')
    const shown: CertificateCredentials = { ...ours, certificate: chain, privateKey: leaf.privateKey }
    const [server, client] = [
      new MemoryEngine({
        role: 'server',
        local: { address: ipv4(0x0a000001), port: 4646 },
        certificate: shown
      }),
      new MemoryEngine({
        role: 'client',
        local: { address: ipv4(0x0a000002), port: 40_000 },
        credentials: ours
      })
    ]
    client.connect(server.local, serverName)
    return settle(server, client)
      .client.reports.map((report) => (report.kind === 'established' ? report.kind : report.reason))
      .join()
  }

  it('takes one that leads to a trust anchor [RFC9132-7.1-M03]', () => {
    const intermediate = authority.issueAuthority('intermediate')
    expect(verdict(authority.issue(serverName))).toBe('established')
    expect(verdict(authority.issue(serverName, { issuer: intermediate }), intermediate)).toBe('established')
  })

  it('refuses one with a gap [RFC9132-7.1-M03]', () => {
    const intermediate = authority.issueAuthority('intermediate')
    expect(verdict(authority.issue(serverName, { issuer: intermediate }))).toBe('certificate-refused')
  })

  it('refuses one through a certificate that may not sign [RFC9132-7.1-M03]', () => {
    const neighbour = authority.issue('neighbour.example')
    expect(verdict(authority.issue(serverName, { issuer: neighbour }), neighbour)).toBe('certificate-refused')
  })

  it('refuses one with an expired part, wherever it stands [RFC9132-7.1-M03]', () => {
    expect(verdict(authority.issue(serverName, { days: -1 }))).toBe('certificate-refused')
    const expired = authority.issueAuthority('expired', { days: -1 })
    expect(verdict(authority.issue(serverName, { issuer: expired }), expired)).toBe('certificate-refused')
  })

  it('refuses one that was made for clients only', () => {
    expect(verdict(authority.issue(serverName, { usage: 'clientAuth' }))).toBe('certificate-refused')
  })

  it('refuses a name that stands in the common name only [RFC9132-7.1-M04]', () => {
    expect(verdict(authority.issue('other.example', { commonName: serverName }))).toBe('name-mismatch')
  })

  it('takes no wildcard, neither for one label nor for part of one', () => {
    expect(verdict(authority.issue('*.server.example'))).toBe('name-mismatch')
    expect(verdict(authority.issue('do*.server.example'))).toBe('name-mismatch')
  })
})
