import { ipv4 } from '@breakwater/core'
import type { CertificateCredentials, PskCredentials } from '@breakwater/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../src/memory-engine.ts'
import { settle } from './memory-pair.ts'
import { TestAuthority } from './pki.ts'

const psk = Buffer.from('0123456789abcdef')

describe('a client that is told a name', () => {
  let authority: TestAuthority
  let shown: CertificateCredentials
  let ours: CertificateCredentials
  beforeAll(() => {
    authority = new TestAuthority('Breakwater test CA')
    shown = authority.credentials('elsewhere.example.net')
    ours = authority.credentials('client.example')
  })
  afterAll(() => authority.remove())

  /** What a client makes of a server that both trust, but whose name is another. */
  function verdict(serverName: string, credentials: CertificateCredentials | PskCredentials): string {
    const server = new MemoryEngine({
      role: 'server',
      local: { address: ipv4(0x0a000001), port: 4646 },
      certificate: shown,
      preSharedKeys: new Map([['site-1', psk]])
    })
    const local = { address: ipv4(0x0a000002), port: 40_000 }
    const client = new MemoryEngine({ role: 'client', local, credentials })
    client.connect(server.local, serverName)
    const { reports } = settle(server, client).client
    expect(client.stats()['peers']).toBe(reports[0]?.kind === 'established' ? 1 : 0)
    return reports.map((report) => (report.kind === 'established' ? report.kind : report.reason)).join()
  }

  it.for([
    ['an empty one', ''],
    ['a suffix', '.example.net'],
    ['a dot', '.'],
    ['a wildcard', '*.example.net'],
    ['one with a NUL in it', 'elsewhere.example.net\0.server.example'],
    ['one with a NUL behind it', 'elsewhere.example.net\0'],
    ['a NUL', '\0'],
    ['a blank', ' '],
    ['one that is too long', `${'a'.repeat(300)}.example`]
  ] as const)('takes no certificate for %s', ([, serverName]) => {
    expect(verdict(serverName, ours)).toBe('name-mismatch')
  })

  it('does not need one with a pre-shared key', () => {
    expect(verdict('', { kind: 'psk', identity: 'site-1', key: psk })).toBe('established')
  })
})
