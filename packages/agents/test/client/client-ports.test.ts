import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '@breakwater/core'
import { DomainName } from '@breakwater/dots'
import type { ClientCredentials } from '@breakwater/dots'
import { afterAll, describe, expect, it } from 'vitest'
import { clientPorts, cuidsOf } from '../../src/client/client-ports.ts'
import { loadClientConfig } from '../../src/config/load.ts'
import { Sandbox } from '../config/sandbox.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.remove())

function psk(identity: string): ClientCredentials {
  return { kind: 'psk', identity, key: new Uint8Array(16) }
}

const text = (name: string): string => readFileSync(join(sandbox.folder, name), 'utf8')

const cuidOfElsewhere = cuidsOf(new Map([[DomainName('z'), psk('elsewhere')]])).get(DomainName('z'))!

const cuidWith = (credentials: ClientCredentials): unknown =>
  cuidsOf(new Map([[DomainName('a'), credentials]])).get(DomainName('a'))

describe('the cuids of a client', () => {
  it('are those that RFC 9132 Appendix B derives from the credential', () => {
    const cuids = cuidsOf(new Map([[DomainName('a'), psk('home')]]))
    // printf home | openssl dgst -sha256 -binary | head -c 16 | basenc --base64url | tr -d =
    expect(cuids.get(DomainName('a'))).toBe('TqFAWIFQdzzjqs54au739A')
  })

  it('are those of the SubjectPublicKeyInfo with a raw public key, as with the certificate of that key', () => {
    const certified = {
      kind: 'certificate',
      certificate: text('own.crt'),
      privateKey: '',
      trustAnchors: ''
    } as const
    const raw = { kind: 'raw-public-key', privateKey: text('own.key'), peerKeys: [] } as const
    expect(cuidWith(raw)).toBe(cuidWith(certified))
  })

  it('differ between domains even when these share a credential, and stay what they are', () => {
    const shared = new Map([
      [DomainName('a'), psk('home')],
      [DomainName('b'), psk('home')]
    ])
    const cuids = cuidsOf(shared)
    expect(cuids.get(DomainName('a'))).toBe(
      cuidsOf(new Map([[DomainName('x'), psk('home')]])).get(DomainName('x'))
    )
    expect(cuids.get(DomainName('b'))).not.toBe(cuids.get(DomainName('a')))
    expect(cuidsOf(shared)).toEqual(cuids)
  })
})

describe('the cuid at servers that coordinate (RFC 9284 §5.4)', () => {
  const shared = new Map(['a', 'b', 'c'].map((name) => [DomainName(name), psk('home')]))
  const provider = { name: 'isp', domains: [DomainName('a'), DomainName('c')], attachments: 'all' } as const

  it('is one at all attachments of the provider, and another elsewhere', () => {
    const cuids = cuidsOf(shared, new Map(), [{ ...provider, serversCoordinate: true }])
    expect(cuids.get(DomainName('c'))).toBe(cuids.get(DomainName('a')))
    expect(cuids.get(DomainName('b'))).not.toBe(cuids.get(DomainName('a')))
  })

  it('is that by which an attachment is in use already', () => {
    const known = new Map([[DomainName('c'), cuidOfElsewhere]])
    const cuids = cuidsOf(shared, known, [{ ...provider, serversCoordinate: true }])
    expect(cuids.get(DomainName('a'))).toBe(cuidOfElsewhere)
  })

  it('differs between attachments whose servers know nothing of each other', () => {
    const cuids = cuidsOf(shared, new Map(), [provider])
    expect(cuids.get(DomainName('c'))).not.toBe(cuids.get(DomainName('a')))
  })
})

describe('the ports of a client', () => {
  it('give each domain its own credentials and no others', () => {
    const file = sandbox.write(
      'client.yaml',
      `domains:
  - name: a
    sources: [192.0.2.10]
    server: { name: dots.a.example, addresses: [192.0.2.1] }
    credentials: { certificate: own.crt, privateKey: own.key, trustAnchors: other.crt }
  - name: b
    sources: [192.0.2.10]
    server: { name: dots.b.example, addresses: [192.0.2.2] }
    credentials: { pskIdentity: home, keyFile: good.psk }
session: { heartbeatIntervalSeconds: 15 }
idleSession: { heartbeatIntervalSeconds: 240 }
reconnection: { firstRetrySeconds: 90 }
`
    )
    const { config, files } = loadClientConfig(file)
    const { credentials, configuration, reconnection } = clientPorts(config, files)
    expect(credentials.get(DomainName('a'))).toEqual({
      kind: 'certificate',
      certificate: files.text('own.crt'),
      privateKey: files.text('own.key'),
      trustAnchors: files.text('other.crt')
    })
    expect(credentials.get(DomainName('b'))).toEqual({
      kind: 'psk',
      identity: 'home',
      key: new Uint8Array(16).fill(0x0f)
    })
    expect(configuration).toMatchObject({
      // RFC 9132 §4.5.2: twice an encrypted heartbeat in an interval.
      mitigating: { heartbeatIntervalSeconds: 15, maxRetransmit: 3, probingRateBytesPerSecond: 12 },
      idle: { heartbeatIntervalSeconds: 240, maxRetransmit: 3, probingRateBytesPerSecond: 5 }
    })
    expect(reconnection).toMatchObject({ firstRetrySeconds: 90, retrySeconds: 300 })
  })

  it('let the servers go back to their own values where that is wanted, and not beside values', () => {
    const site = `domains:
  - name: a
    sources: [192.0.2.10]
    server: { name: dots.a.example, addresses: [192.0.2.1] }
    credentials: { certificate: own.crt, privateKey: own.key, trustAnchors: other.crt }
serverDefaults: true
`
    const { config, files } = loadClientConfig(sandbox.write('defaults.yaml', site))
    expect(clientPorts(config, files).configuration).toBe('defaults')
    const both = sandbox.write('both.yaml', `${site}idleSession: { heartbeatIntervalSeconds: 60 }\n`)
    expect(() => loadClientConfig(both)).toThrow(ConfigError)
  })
})
