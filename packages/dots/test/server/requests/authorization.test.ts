import { prefix } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { Authorization, identityText } from '../../../src/server/requests/authorization.ts'
import { certificate } from '../server-bed.ts'

const authorization = new Authorization([
  {
    name: 'example',
    dnsNames: ['Client.Example.NET'],
    pskIdentities: ['example-psk'],
    prefixes: [prefix('192.0.2.0/25'), prefix('192.0.2.128/25'), prefix('2001:db8::/32')]
  },
  {
    name: 'other',
    dnsNames: ['other.example'],
    pskIdentities: [],
    publicKeys: ['AB'.repeat(32), 'cd'.repeat(15)],
    prefixes: [prefix('198.51.100.0/24')]
  }
])

describe('Authorization', () => {
  it('knows a client by any DNS-ID of its certificate, in any case, or by its PSK identity', () => {
    expect(authorization.principalOf(certificate('unknown.example', 'client.example.net'))).toEqual({
      domain: 'example',
      owner: 'dns:client.example.net'
    })
    expect(authorization.principalOf({ kind: 'psk', identity: 'example-psk' })).toEqual({
      domain: 'example',
      owner: 'psk:example-psk'
    })
  })

  it('knows a client by its raw public key, whose digest may have been cut', () => {
    const whole = { kind: 'raw-public-key', spkiSha256: 'ab'.repeat(32) } as const
    const cut = { kind: 'raw-public-key', spkiSha256: `${'cd'.repeat(15)}${'0'.repeat(34)}` } as const
    expect(authorization.principalOf(whole)).toEqual({ domain: 'other', owner: `spki:${whole.spkiSha256}` })
    expect(authorization.domainOf(`spki:${cut.spkiSha256}`)).toBe('other')
    expect(authorization.principalOf({ ...whole, spkiSha256: 'ab'.repeat(15) })).toBeUndefined()
    const certified = {
      kind: 'certificate',
      dnsNames: [],
      subject: '',
      spkiSha256: whole.spkiSha256
    } as const
    expect(authorization.principalOf(certified)).toBeUndefined()
  })

  it('knows nobody by a name that only looks alike, by the subject, or by a DNS name as PSK identity', () => {
    expect(authorization.principalOf(certificate('sub.client.example.net'))).toBeUndefined()
    expect(authorization.principalOf({ kind: 'psk', identity: 'client.example.net' })).toBeUndefined()
    const subjectOnly = { ...certificate(), subject: 'client.example.net' } as const
    expect(authorization.principalOf(subjectOnly)).toBeUndefined()
  })

  it('finds the first prefix that is not the domain’s own', () => {
    expect(
      authorization.firstForeign('example', [prefix('192.0.2.7/32'), prefix('2001:db8:1::/48')])
    ).toBeUndefined()
    const foreign = prefix('198.51.100.0/24')
    expect(authorization.firstForeign('example', [prefix('192.0.2.7/32'), foreign])).toBe(foreign)
    expect(authorization.firstForeign('example', [prefix('192.0.0.0/16')])).toEqual(prefix('192.0.0.0/16'))
    expect(authorization.firstForeign('gone', [foreign])).toBe(foreign)
  })

  it('lets a target span prefixes that only together hold it', () => {
    expect(authorization.firstForeign('example', [prefix('192.0.2.0/24')])).toBeUndefined()
  })

  it('names identities for people', () => {
    expect(identityText(certificate('a.example', 'b.example'))).toBe('dns:a.example')
    expect(identityText({ kind: 'psk', identity: 'x' })).toBe('psk:x')
    expect(identityText({ kind: 'raw-public-key', spkiSha256: 'ab' })).toBe('spki:ab')
  })
})
