import { afterAll, describe, expect, it } from 'vitest'
import { DEFAULT_ENDPOINT_LIMITS, DEFAULT_STREAM_LIMITS } from '@breakwater/core'
import { loadServerConfig } from '../../src/config/load.ts'
import { clientDomains, listenOptions, serverCredentials } from '../../src/server/server-ports.ts'
import { mistakesOf, Sandbox } from './sandbox.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.remove())

const good = `listen:
  - address: 127.0.0.1
credentials:
  certificate: own.crt
  privateKey: own.key
  trustAnchors: own.crt
preSharedKeys:
  - identity: branch
    keyFile: good.psk
clients:
  - name: home
    identity: { dnsName: home.example }
    prefixes: [203.0.113.0/24, 2001:db8::/32]
  - name: branch
    identity: { pskIdentity: branch }
    prefixes: [198.51.100.0/24]
mitigator:
  kind: dry-run
store:
  path: state.db
`

function mistakes(text: string): string[] | undefined {
  return mistakesOf(() => loadServerConfig(sandbox.write('server.yaml', text)))
}

/** The good configuration with one piece replaced, so that each test has one mistake. */
function changed(from: string, to: string): string[] | undefined {
  expect(good).toContain(from)
  return mistakes(good.replace(from, to))
}

describe('a redirection', () => {
  it('names clients that there are, and addresses where somebody is', () => {
    const wanted = `${good}redirection:
  server: alt.example
  addresses: [192.0.2.1, 224.0.0.1, 0.0.0.0, 255.255.255.255, 'ff02::1']
  clients: [home, hom]
`
    expect(mistakes(wanted)).toEqual([
      expect.stringContaining('224.0.0.1 is the address of no single host'),
      expect.stringContaining('0.0.0.0 is the address of no single host'),
      expect.stringContaining('255.255.255.255 is the address of no single host'),
      expect.stringContaining('ff02::1 is the address of no single host'),
      expect.stringContaining('no client has the name "hom"')
    ])
    expect(
      mistakes(`${good}redirection: { server: alt.example, addresses: [192.0.2.1], clients: [home] }`)
    ).toBeUndefined()
  })
})

function limitsOf(more: string): unknown[] {
  const { config, files } = loadServerConfig(sandbox.write('server.yaml', `${good}${more}`))
  return listenOptions(config, files).map(({ transport, limits }) => [transport, limits])
}

describe('limits of endpoints', () => {
  it('are those of `limits.dtls` over UDP and of `limits.tls` over TCP', () => {
    const more = `limits:
  dtls: { hellosPerSecondPerSource: 1, unverifiedHellosPerSecond: 2, handshakes: 3, sessions: 4 }
  tls: { handshakesPerSource: 5, connectionsPerSource: 6, handshakes: 7, connections: 8, handshakeSeconds: 9 }
`
    const ofDatagrams = {
      hellosPerSecondPerSource: 1,
      unverifiedHellosPerSecond: 2,
      handshaking: 3,
      peers: 4
    }
    const ofStreams = {
      handshakingPerSource: 5,
      peersPerSource: 6,
      handshaking: 7,
      peers: 8,
      handshake: 9000
    }
    expect(limitsOf(more)).toEqual([
      ['udp', ofDatagrams],
      ['tcp', ofStreams]
    ])
  })

  it('are the defaults of the endpoints where nothing is said', () => {
    const { queuedBytes: _queue, firstByte: _first, ...ofStreams } = DEFAULT_STREAM_LIMITS
    expect(limitsOf('')).toEqual([
      ['udp', DEFAULT_ENDPOINT_LIMITS],
      ['tcp', ofStreams]
    ])
  })

  it('are whole numbers above 0', () => {
    expect(
      mistakes(`${good}limits: { tls: { handshakesPerSource: 0 }, dtls: { sessions: 1.5 } }`)
    ).toHaveLength(2)
  })
})

describe('the configuration of a server', () => {
  it('takes a good one and fills in the defaults of RFC 9132', () => {
    const { config, warnings } = loadServerConfig(sandbox.write('server.yaml', good))
    expect(config.listen).toEqual([{ address: '127.0.0.1', port: 4646 }])
    expect(config.session).toEqual({
      heartbeatIntervalSeconds: 30,
      missingHeartbeatsAllowed: 15,
      probingRateBytesPerSecond: 5,
      maxRetransmit: 3,
      ackTimeoutSeconds: 2,
      ackRandomFactor: 1.5
    })
    expect(config.lifetime).toEqual({ maximumSeconds: 86_400, grantIndefinite: false })
    expect(config.control).toEqual({ socket: '/run/breakwater/server.sock' })
    expect(config.log).toEqual({ level: 'info', pretty: false })
    expect(warnings).toEqual([])
  })

  it('listens on port 4646 unless told otherwise [RFC9132-3-M01]', () => {
    const { config } = loadServerConfig(sandbox.write('server.yaml', good))
    expect(config.listen[0]?.port).toBe(4646)
  })

  it('listens on another port when told to [RFC9132-3-S01]', () => {
    const text = good.replace('address: 127.0.0.1', 'address: 127.0.0.1\n    port: 5646')
    expect(loadServerConfig(sandbox.write('server.yaml', text)).config.listen[0]?.port).toBe(5646)
  })

  it('reports all mistakes at once, each at its line and key', () => {
    const found = mistakes(`listen:
  - address: 127.0.0.300
    prot: 4646
credentials:
  certificate: missing.crt
  privateKey: own.key
  trustAnchors: own.key
clients:
  - name: home
    identity: { dnsName: "*.example" }
    prefixes: [203.0.113.7/24]
  - name: home
    identity: { pskIdentity: nobody }
    prefixes: []
mitigator:
  kind: nftabels
store: {}
log:
  level: loud
session:
  heartbeatIntervalSeconds: 5
lifetime:
  maximumSeconds: soon
`)
    expect(found).toEqual([
      '2:14 listen[0].address: must be an IP address, not "127.0.0.300"',
      '3:5 listen[0].prot: unknown key "prot"; did you mean "port"?',
      `5:16 credentials.certificate: ${sandbox.folder}/missing.crt cannot be read: it does not exist`,
      `7:17 credentials.trustAnchors: ${sandbox.folder}/own.key holds no PEM certificate`,
      '10:26 clients[0].identity.dnsName: must be one name, without a wildcard',
      '11:16 clients[0].prefixes[0]: has bits set behind its length: 203.0.113.0/24 was meant?',
      '12:11 clients[1].name: the name home is given twice',
      '13:30 clients[1].identity.pskIdentity: no key of "preSharedKeys" has the identity nobody',
      '14:5 clients[1].prefixes: must have at least 1 item',
      '16:9 mitigator.kind: must be "dry-run" or "nftables", not "nftabels"',
      '17:1 store: the key "path" is missing',
      '19:10 log.level: must be "debug" or "info" or "warn" or "error", not "loud"',
      '21:29 session.heartbeatIntervalSeconds: 5 is outside of 15 … 240',
      '23:19 lifetime.maximumSeconds: must be a whole number, not "soon"'
    ])
  })

  it('names the line of broken YAML', () => {
    expect(mistakes('listen:\n  - address: [127.0.0.1\nstore: {}\n')?.[0]).toMatch(/^3:1 : YAML: /)
  })

  it('reports a key that is given twice together with the other mistakes', () => {
    const found = mistakes(
      good.replace('store:\n  path: state.db', 'store:\n  path: a\n  path: b\nlog: {level: 7}')
    )
    expect(found).toHaveLength(2)
    expect(found?.[0]).toMatch(/^21:3 : YAML: .*unique/)
    expect(found?.[1]).toMatch(/^22:14 log.level: /)
  })

  it.each([
    ['nothing', '', '1:1 : must be a section of keys, not nothing'],
    ['a list', '- a\n', '1:1 : must be a section of keys, not a list'],
    ['a word', 'hello\n', '1:1 : must be a section of keys, not "hello"']
  ])('refuses %s', (_, text, mistake) => {
    expect(mistakes(text)).toEqual([mistake])
  })

  it.each([
    [
      'a port out of range',
      '- address: 127.0.0.1',
      '- { address: 127.0.0.1, port: 65536 }',
      '2:33 listen[0].port: 65536 is outside of 0 … 65535'
    ],
    [
      'a fraction',
      '- address: 127.0.0.1',
      '- { address: 127.0.0.1, port: 1.5 }',
      '2:33 listen[0].port: must be a whole number, not 1.5'
    ],
    ['no listener', 'listen:\n  - address: 127.0.0.1', 'listen: []', '1:1 listen: must have at least 1 item'],
    ['a key without value', '  path: state.db', '  path:', '20:8 store.path: has no value'],
    [
      'a number as name',
      'name: home',
      'name: 7',
      '11:11 clients[0].name: must be text, not 7 (put it in quotes)'
    ],
    ['a section as text', 'name: home', 'name: {}', '11:5 clients[0].name: must be text, not a section'],
    [
      'a text as list',
      '[198.51.100.0/24]',
      '198.51.100.0/24',
      '16:15 clients[1].prefixes: must be a list, not "198.51.100.0/24"'
    ],
    [
      'a prefix without length',
      '[198.51.100.0/24]',
      '[198.51.100.7]',
      '16:16 clients[1].prefixes[0]: has no length: 198.51.100.7/32 was meant?'
    ],
    [
      'a prefix given twice',
      '[198.51.100.0/24]',
      '[198.51.100.0/24, 198.51.100.0/24]',
      '16:33 clients[1].prefixes[1]: the prefix 198.51.100.0/24 is given twice'
    ],
    [
      'an address as DNS name',
      'dnsName: home.example',
      'dnsName: 10.0.0.1',
      '12:26 clients[0].identity.dnsName: must be a DNS name, not an address'
    ],
    [
      'two identities that are one',
      'pskIdentity: branch',
      'dnsName: HOME.example',
      '15:5 clients[1].identity: the identity home.example is given twice'
    ],
    [
      'a mitigator without kind',
      '  kind: dry-run',
      '  table: x',
      '17:1 mitigator: the key "kind" is missing: "dry-run" or "nftables"'
    ],
    [
      'a key of the other mitigator',
      '  kind: dry-run',
      '  kind: dry-run\n  table: x',
      '19:3 mitigator.table: unknown key "table"; known here: kind'
    ],
    ['a foreign private key', 'privateKey: own.key', 'privateKey: other.key', 'the key of the certificate'],
    [
      'a listener given twice',
      '- address: 127.0.0.1',
      '- address: 127.0.0.1\n  - address: 127.0.0.1',
      '3:5 listen[1]: the address 127.0.0.1 port 4646 is given twice'
    ]
  ])('refuses %s', (_, from, to, mistake) => {
    const found = changed(from, to)
    expect(found).toHaveLength(1)
    expect(found?.[0]).toContain(mistake)
  })

  it('refuses clients with certificates when the server has none, and a server without any credentials', () => {
    const cut = good.replace(/credentials:\n(?: {2}.*\n){3}/, '')
    expect(mistakes(cut)).toEqual([
      '8:26 clients[0].identity.dnsName: clients with certificates need "credentials" of the server'
    ])
    const bare = cut.replace(/preSharedKeys:\n(?: {2}.*\n){2}/, '')
    expect(mistakes(bare)?.[0]).toBe(
      '1:1 : the server has neither "credentials" nor "preSharedKeys" nor "rawPublicKey"'
    )
  })

  const digest = 'ab'.repeat(32)
  const rawClient = `{ publicKey: ${digest} }`
  const withRawKey = (key: string, identity = rawClient): string =>
    good
      .replace('clients:\n', `rawPublicKey: { privateKey: ${key} }\nclients:\n`)
      .replace('{ dnsName: home.example }', identity)

  it('takes raw public keys of clients beside certificates, by the key of its own certificate', () => {
    const { config, files } = loadServerConfig(sandbox.write('server.yaml', withRawKey('own.key')))
    const { rawPublicKey } = serverCredentials(config, files)
    expect(rawPublicKey).toMatchObject({ kind: 'raw-public-key', peerKeys: [digest] })
    expect(rawPublicKey?.privateKey).toContain('PRIVATE KEY')
    expect(clientDomains(config)[0]).toMatchObject({ publicKeys: [digest], dnsNames: [] })
    expect(mistakes(withRawKey('own.key', '{ publicKey: 0123456789abcdef0123456789abcd }'))).toBeUndefined()
  })

  it('refuses a raw key that is not that of the certificate, or that no client could come to', () => {
    expect(mistakes(withRawKey('other.key'))?.[0]).toMatch(/rawPublicKey\.privateKey: .* is not the key of/)
    expect(mistakes(withRawKey('own.key', '{ dnsName: home.example }'))?.[0]).toContain(
      'no client has a "publicKey"'
    )
    expect(changed('{ dnsName: home.example }', rawClient)?.[0]).toContain('need "rawPublicKey"')
  })

  it.each(['ab', 'zz'.repeat(32), 'ab'.repeat(31)])('refuses the digest %s of a key', (text) => {
    expect(mistakes(withRawKey('own.key', `{ publicKey: '${text}' }`))?.[0]).toContain('must be a SHA-256')
  })

  it('hands revocation lists on, and refuses a file that holds none', () => {
    const lists = 'trustAnchors: own.crt\n  revocationLists: lists.pem'
    sandbox.write('lists.pem', '-----BEGIN X509 CRL-----\n')
    const text = good.replace('trustAnchors: own.crt', lists)
    const { config, files } = loadServerConfig(sandbox.write('server.yaml', text))
    expect(serverCredentials(config, files).certificate?.crl).toContain('X509 CRL')
    sandbox.write('lists.pem', 'nothing')
    expect(mistakes(text)?.[0]).toContain('holds no PEM certificate revocation list')
  })

  it.each([
    ['too short', 'ab'.repeat(15), 'a key of 15 bytes; at least 16'],
    ['too long', 'ab'.repeat(65), 'a key of 65 bytes; at most 64'],
    ['not hexadecimal', 'secret', 'hexadecimal digits'],
    ['empty', '', 'a key of 0 bytes']
  ])('refuses a pre-shared key that is %s', (_, text, reason) => {
    sandbox.write('bad.psk', text, 0o600)
    const found = changed('keyFile: good.psk', 'keyFile: bad.psk')
    expect(found).toHaveLength(1)
    expect(found?.[0]).toMatch(/^9:14 preSharedKeys\[0\]\.keyFile: /)
    expect(found?.[0]).toContain(reason)
  })

  it('never quotes what a key file holds', () => {
    sandbox.write('bad.psk', 'correct horse battery staple', 0o600)
    expect(changed('keyFile: good.psk', 'keyFile: bad.psk')?.join()).not.toContain('horse')
  })

  it.each([0o644, 0o604, 0o660, 0o620])('refuses a key file of mode %o', (mode) => {
    sandbox.write('open.psk', '0f'.repeat(16), mode)
    expect(changed('keyFile: good.psk', 'keyFile: open.psk')?.[0]).toContain('is open to others')
  })

  it.each([0o600, 0o400, 0o640])('takes a key file of mode %o', (mode) => {
    sandbox.write('closed.psk', '0f'.repeat(16), mode)
    expect(changed('keyFile: good.psk', 'keyFile: closed.psk')).toBeUndefined()
  })

  it('warns of an interface that is not there, and starts all the same', () => {
    const text = good.replace('address: 127.0.0.1', 'address: 127.0.0.1\n    interface: nowhere0')
    const { warnings } = loadServerConfig(sandbox.write('server.yaml', text))
    expect(warnings).toEqual([
      {
        path: 'listen[0].interface',
        message: 'there is no interface nowhere0 at the moment',
        line: 3,
        column: 16
      }
    ])
  })

  it('refuses retransmission that RFC 7252 §4.8.1 forbids, and warns of what is quick [RFC9132-4.5.2-S04]', () => {
    expect(mistakes(`${good}session:\n  ackTimeoutSeconds: 0\n`)).toHaveLength(1)
    expect(mistakes(`${good}session:\n  ackRandomFactor: 1.0\n`)).toHaveLength(1)
    const text = `${good}session:\n  ackTimeoutSeconds: 1\n`
    const { warnings } = loadServerConfig(sandbox.write('server.yaml', text))
    expect(warnings.map(({ path }) => path)).toEqual(['session.ackTimeoutSeconds'])
  })

  it('refuses a control socket whose whole path is too long for the kernel', () => {
    const long = `${'x'.repeat(100)}.sock`
    expect(mistakes(`${good}control: { socket: ${long} }\n`)?.[0]).toMatch(
      /^21:20 control\.socket: .*107 bytes/
    )
    expect(mistakes(`${good}control: { socket: "" }\n`)).toEqual(['21:20 control.socket: must not be empty'])
  })

  it('reads files relative to its own folder, and keeps what it checked', () => {
    const { config, files } = loadServerConfig(sandbox.write('server.yaml', good))
    expect(files.absolute(config.store.path)).toBe(`${sandbox.folder}/state.db`)
    expect(files.text('own.crt')).toContain('BEGIN CERTIFICATE')
  })

  it('says so when it cannot be read', () => {
    expect(mistakesOf(() => loadServerConfig('/nowhere/server.yaml'))?.[0]).toContain(
      '/nowhere/server.yaml cannot be read'
    )
    expect(mistakesOf(() => loadServerConfig(sandbox.folder))?.[0]).toContain('it is not a file')
  })

  it('refuses a bomb of aliases instead of expanding it', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let level = 1; level < 9; level++)
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`)
    const started = performance.now()
    expect(mistakes(lines.join('\n'))?.[0]).toMatch(/alias/i)
    expect(performance.now() - started).toBeLessThan(2000)
  })
})
