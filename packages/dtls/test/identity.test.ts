import { ipv4 } from '@breakwater/core'
import type { PeerIdentity } from '@breakwater/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../src/memory-engine.ts'
import { settle } from './memory-pair.ts'
import { TestAuthority } from './pki.ts'
import type { IssueOptions } from './pki.ts'

/** DER of GeneralNames with one dNSName (context tag 2). */
function derOfDnsName(name: string): string {
  const bytes = Buffer.from(name, 'latin1')
  const all = Buffer.concat([Buffer.of(0x30, bytes.length + 2, 0x82, bytes.length), bytes])
  return `DER:${all.toString('hex').replaceAll(/(..)(?=.)/g, '$1:')}`
}

describe('a server learns of a client by its certificate', () => {
  let authority: TestAuthority
  beforeAll(() => void (authority = new TestAuthority('Breakwater test CA')))
  afterAll(() => authority.remove())

  /** The identity, or why there is none. */
  function identityBy(options: IssueOptions): PeerIdentity | string | undefined {
    const server = new MemoryEngine({
      role: 'server',
      local: { address: ipv4(0x0a000001), port: 4646 },
      certificate: authority.credentials('server.example')
    })
    const { certificate, privateKey } = authority.issue('client.example', options)
    const credentials = {
      kind: 'certificate',
      certificate,
      privateKey,
      trustAnchors: authority.certificate
    } as const
    const client = new MemoryEngine({
      role: 'client',
      local: { address: ipv4(0x0a000002), port: 40_000 },
      credentials
    })
    client.connect(server.local, 'server.example')
    const [report] = settle(server, client).server.reports
    if (report === undefined) return undefined
    return report.kind === 'established' ? report.identity : report.reason
  }

  it('all DNS names, in lower case, and no name of another kind', () => {
    const alternativeNames =
      'DNS:One.EXAMPLE,IP:192.0.2.1,email:three@example,URI:https://four.example,DNS:*.two.example'
    expect(identityBy({ alternativeNames })).toMatchObject({ dnsNames: ['one.example', '*.two.example'] })
  })

  it('no name when it has none, whatever its common name says', () => {
    expect(identityBy({ alternativeNames: '', commonName: 'admin.example' })).toMatchObject({
      dnsNames: [],
      subject: 'admin.example',
      spkiSha256: expect.stringMatching(/^[0-9a-f]{64}$/)
    })
  })

  it.for([
    ['a NUL', 'admin.example\0.client.example'],
    ['a blank', 'admin.example '],
    ['a line feed', 'admin.example\n'],
    ['a letter beyond ASCII', 'ädmin.example'],
    ['nothing', '']
  ] as const)('no name with %s in it', ([, name]) => {
    expect(identityBy({ alternativeNames: derOfDnsName(name) })).toMatchObject({ dnsNames: [] })
  })

  it('nothing when it has expired, or was made for servers only', () => {
    expect(identityBy({ days: -1 })).toBe('certificate-refused')
    expect(identityBy({ usage: 'serverAuth' })).toBe('certificate-refused')
  })
})
