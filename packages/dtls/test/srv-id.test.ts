import { ipv4 } from '@breakwater/core'
import type { CertificateCredentials } from '@breakwater/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../src/memory-engine.ts'
import { settle } from './memory-pair.ts'
import { TestAuthority } from './pki.ts'
import type { Issued } from './pki.ts'

const serverName = 'server.example'

/** RFC 4985 §2: otherName of type id-on-dnsSRV. */
const srvName = (name: string): string => `otherName:1.3.6.1.5.5.7.8.7;IA5STRING:${name}`

describe('a client of the service dots-signal (RFC 9525 §6.5)', () => {
  let authority: TestAuthority
  let ours: CertificateCredentials
  beforeAll(() => {
    authority = new TestAuthority('Breakwater test CA')
    ours = authority.credentials('client.example')
  })
  afterAll(() => authority.remove())

  function verdict(leaf: Issued, serviceName: string | undefined, ...chain: readonly Issued[]): unknown {
    const certificate = [leaf, ...chain].map((each) => each.certificate).join('')
    const shown = { ...ours, certificate, privateKey: leaf.privateKey }
    const server = new MemoryEngine({
      role: 'server',
      local: { address: ipv4(0x0a000001), port: 4646 },
      certificate: shown
    })
    const client = new MemoryEngine({
      role: 'client',
      local: { address: ipv4(0x0a000002), port: 40_000 },
      credentials: ours,
      ...(serviceName === undefined ? {} : { serviceName })
    })
    client.connect(server.local, serverName)
    const [report] = settle(server, client).client.reports
    return report?.kind === 'established' ? report.identity : report?.reason
  }

  const issue = (alternativeNames: string): Issued => authority.issue('any', { alternativeNames })

  it('takes a certificate with the SRV-ID of this service at the host it wants [RFC9132-7.1-M04]', () => {
    for (const name of ['_dots-signal.server.example', '_DOTS-Signal.Server.EXAMPLE'])
      expect(verdict(issue(srvName(name)), 'dots-signal')).toMatchObject({
        dnsNames: [],
        srvNames: ['_dots-signal.server.example']
      })
  })

  it('takes a DNS-ID as before, beside an SRV-ID of another service, too', () => {
    const names = `DNS:${serverName},${srvName('_dots-data.server.example')}`
    expect(verdict(issue(names), 'dots-signal')).toMatchObject({ dnsNames: [serverName] })
    expect(verdict(issue(`DNS:${serverName}`), undefined)).toMatchObject({ dnsNames: [serverName] })
  })

  it.for([
    ['another service', '_dots-data.server.example'],
    ['another host', '_dots-signal.elsewhere.example'],
    ['a wildcard', '_dots-signal.*.example'],
    ['no service', 'server.example'],
    ['a service without its underscore', 'dots-signal.server.example'],
    ['the name of a DNS record', '_dots-signal._udp.server.example']
  ] as const)('refuses the SRV-ID of %s [RFC9132-7.1-M04]', ([, name]) => {
    expect(verdict(issue(srvName(name)), 'dots-signal')).toBe('name-mismatch')
  })

  it('looks at SRV-IDs only when it was told a service', () => {
    expect(verdict(issue(srvName('_dots-signal.server.example')), undefined)).toBe('name-mismatch')
  })

  it('believes no SRV-ID below an authority that is held to some DNS names (RFC 9525 §7.6)', () => {
    const constraint = 'nameConstraints=critical,permitted;DNS:elsewhere.example'
    const held = authority.issueAuthority('held', { more: constraint })
    const free = authority.issueAuthority('free')
    const name = { alternativeNames: srvName('_dots-signal.server.example') }
    expect(verdict(authority.issue('any', { ...name, issuer: held }), 'dots-signal', held)).toBe(
      'name-mismatch'
    )
    expect(verdict(authority.issue('any', { ...name, issuer: free }), 'dots-signal', free)).toMatchObject({
      kind: 'certificate'
    })
  })

  it.for(['', '_dots-signal', 'dots signal', 'a'.repeat(16), '-dots', '123'])(
    'does not open with "%s" for a service',
    (serviceName) => {
      expect(() => verdict(issue(`DNS:${serverName}`), serviceName)).toThrow(
        expect.objectContaining({ code: 'DTLS_OPTIONS_INVALID' })
      )
    }
  )
})
