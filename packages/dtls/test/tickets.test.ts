import { ipv4, parseIpAddress } from '@breakwater/core'
import type {
  CertificateCredentials,
  ClientCredentials,
  ResumableSession,
  ServerEndpointOptions,
  SocketAddress
} from '@breakwater/core'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../src/memory-engine.ts'
import { settle } from './memory-pair.ts'
import { TestAuthority } from './pki.ts'
import type { Issued } from './pki.ts'
import { newRawKey } from './raw-keys.ts'

const serverName = 'server.example'
const hours = 3_600_000
const psk = { kind: 'psk', identity: 'site-1', key: Buffer.from('0123456789abcdef') } as const
const preSharedKeys = new Map([[psk.identity, psk.key]])
const local = { address: ipv4(0x0a000001), port: 4646 }

type ServerParts = Partial<Omit<ServerEndpointOptions, 'role' | 'local'>>

const openServer = (options: ServerParts): MemoryEngine =>
  new MemoryEngine({ role: 'server', local, ...options })

function openClient(
  credentials: ClientCredentials,
  sessions: readonly ResumableSession[] = []
): MemoryEngine {
  const own = { address: ipv4(0x0a000002), port: 40_000 }
  return new MemoryEngine({ role: 'client', local: own, credentials, sessions })
}

/** Connects, says goodbye, and tells how it went. */
function visit(server: MemoryEngine, client: MemoryEngine, name = serverName): string {
  const before = server.stats()['handshakesResumed'] ?? 0
  client.connect(server.local, name)
  const report = settle(server, client).client.reports.at(-1)
  if (report?.kind !== 'established') return report?.reason ?? 'silence'
  client.close(report.peer)
  settle(server, client)
  return (server.stats()['handshakesResumed'] ?? 0) > before ? 'resumed' : 'full'
}

let authority: TestAuthority
let certificate: CertificateCredentials
let ours: Issued
const of = ({ certificate: own, privateKey }: Issued): CertificateCredentials => ({
  kind: 'certificate',
  certificate: own,
  privateKey,
  trustAnchors: authority.certificate
})
beforeAll(() => {
  authority = new TestAuthority('Breakwater test CA')
  certificate = authority.credentials(serverName)
  ours = authority.issue('client.example')
})
afterAll(() => authority.remove())

describe('the keys of a server’s tickets', () => {
  it('outlive the server when they are given to the next one', () => {
    const ticketKeys = [randomBytes(32)]
    for (const credentials of [psk, of(ours)]) {
      const client = openClient(credentials)
      expect(visit(openServer({ certificate, preSharedKeys, ticketKeys }), client)).toBe('full')
      expect(visit(openServer({ certificate, preSharedKeys, ticketKeys }), client)).toBe('resumed')
    }
  })

  it('open nothing that others sealed: a full handshake follows, behind the cookie', () => {
    const client = openClient(psk)
    visit(openServer({ preSharedKeys, ticketKeys: [randomBytes(32)] }), client)
    const other = openServer({ preSharedKeys, ticketKeys: [randomBytes(32)] })
    expect(visit(other, client)).toBe('full')
    expect(other.stats()).toMatchObject({ ticketsUnknown: 1, hellosIn: 2, hellosVerified: 1 })
    expect(visit(other, client)).toBe('resumed')
  })

  it('change: the new one seals, the old one still opens until it is taken away', () => {
    const [first, second] = [randomBytes(32), randomBytes(32)]
    const server = openServer({ preSharedKeys, ticketKeys: [first] })
    const [stays, returns, late] = [openClient(psk), openClient(psk), openClient(psk)]
    for (const client of [stays, returns, late]) visit(server, client)
    expect(server.useTicketKeys([second, first])).toBe(true)
    expect(visit(server, returns)).toBe('resumed')
    expect(server.useTicketKeys([second])).toBe(true)
    // It was given a ticket under the new key when it came back.
    expect(visit(server, returns)).toBe('resumed')
    expect(visit(server, late)).toBe('full')
    expect(server.stats()).toMatchObject({ ticketsUnknown: 1 })
  })

  it('are replaced by the server itself after 84 hours, and open for as long again', () => {
    const server = openServer({ preSharedKeys })
    const [early, late] = [openClient(psk), openClient(psk)]
    for (const client of [early, late]) visit(server, client)
    server.advance(85 * hours)
    expect(visit(server, early)).toBe('resumed')
    server.advance(85 * hours)
    expect(visit(server, late)).toBe('full')
    expect(server.stats()).toMatchObject({ ticketsUnknown: 1 })
  })

  it('are refused when they cannot be keys', () => {
    const refusal = { code: 'DTLS_OPTIONS_INVALID' }
    for (const ticketKeys of [[], [randomBytes(31)], Array.from({ length: 17 }, () => randomBytes(32))])
      expect(() => openServer({ preSharedKeys, ticketKeys })).toThrow(expect.objectContaining(refusal))
    const server = openServer({ preSharedKeys, ticketKeys: [randomBytes(32)] })
    expect(server.useTicketKeys([])).toBe(false)
    expect(server.useTicketKeys([randomBytes(16)])).toBe(false)
    expect(openClient(psk).useTicketKeys([randomBytes(32)])).toBe(false)
  })
})

describe('a session that is to be resumed', () => {
  const ticketKeys = [randomBytes(32)]

  it('lives for 84 hours after the full handshake, however often it was resumed', () => {
    const server = openServer({ preSharedKeys, ticketKeys })
    const client = openClient(psk)
    visit(server, client)
    client.advance(50 * hours)
    expect(visit(server, client)).toBe('resumed')
    client.advance(35 * hours)
    expect(visit(server, client)).toBe('full')
  })

  it('ends with the certificate of the client, and with that of the server', () => {
    const server = openServer({ certificate, ticketKeys })
    const client = openClient(of(ours))
    visit(server, client)
    server.advance(25 * hours)
    expect(visit(server, client)).toBe('full')
    expect(server.stats()).toMatchObject({ ticketsRefused: 1 })
    const another = openServer({ certificate, ticketKeys })
    const patient = openClient(of(ours))
    visit(another, patient)
    patient.advance(25 * hours)
    expect(visit(another, patient)).toBe('full')
    expect(another.stats()).toMatchObject({ ticketsRefused: 0, ticketsUnknown: 0 })
  })

  it('does not help a client whose certificate was revoked meanwhile, and helps the others', () => {
    const server = openServer({ certificate, ticketKeys })
    const [revoked, good] = [openClient(of(ours)), openClient(of(authority.issue('good.example')))]
    visit(server, revoked)
    visit(server, good)
    server.reload({ certificate: { ...certificate, crl: authority.revoke([ours]) } })
    // The server speaks last in a full handshake, so the client hears an alert.
    expect(visit(server, revoked)).toBe('peer-alert')
    expect(visit(server, good)).toBe('resumed')
    expect(server.stats()).toMatchObject({ ticketsRefused: 1 })
  })

  it('does not help when the list of revoked certificates is out of date', () => {
    const crl = authority.revoke([])
    const server = openServer({ certificate: { ...certificate, crl }, ticketKeys })
    const lasting = of(authority.issue('lasting.example', { days: 1 }))
    const client = openClient(lasting)
    visit(server, client)
    expect(visit(server, client)).toBe('resumed')
    server.advance(25 * hours)
    expect(visit(server, client)).toBe('full')
  })

  it('does not help a client whose authority is trusted no more', () => {
    const other = new TestAuthority('another CA')
    const server = openServer({ certificate, ticketKeys })
    const client = openClient(of(ours))
    visit(server, client)
    server.reload({ certificate: { ...certificate, trustAnchors: other.certificate } })
    expect(visit(server, client)).toBe('peer-alert')
    other.remove()
  })

  it('does not help a client whose key was changed or taken away', () => {
    const server = openServer({ preSharedKeys, ticketKeys })
    const client = openClient(psk)
    visit(server, client)
    server.reload({ preSharedKeys: new Map([[psk.identity, randomBytes(16)]]) })
    client.connect(server.local, serverName)
    const { reports } = settle(server, client).client
    expect(reports).toEqual([])
    expect(server.stats()).toMatchObject({ ticketsRefused: 1, handshakesResumed: 0 })
    server.reload({ preSharedKeys: new Map([['site-2', psk.key]]) })
    expect(visit(server, client)).toBe('peer-alert')
  })

  it('does not help a client whose raw key was taken off the list', () => {
    const [own, mine, next] = [newRawKey(), newRawKey(), newRawKey()]
    const rawPublicKey = { ...own.credentials, peerKeys: [mine.digest] }
    const server = openServer({ rawPublicKey, ticketKeys })
    const client = openClient({ ...mine.credentials, peerKeys: [own.digest] })
    expect(visit(server, client)).toBe('full')
    expect(visit(server, client)).toBe('resumed')
    server.reload({ rawPublicKey: { ...rawPublicKey, peerKeys: [next.digest, mine.digest] } })
    expect(visit(server, client)).toBe('resumed')
    server.reload({ rawPublicKey: { ...rawPublicKey, peerKeys: [next.digest] } })
    expect(visit(server, client)).toBe('peer-alert')
  })

  it('ends when the server shows itself by another certificate', () => {
    const server = openServer({ certificate, preSharedKeys, ticketKeys })
    const client = openClient(of(ours))
    visit(server, client)
    server.reload({ certificate: authority.credentials(serverName), preSharedKeys })
    expect(visit(server, client)).toBe('full')
  })

  it('survives a reload that changes nothing for its peer, at the client, too', () => {
    const server = openServer({ certificate, preSharedKeys, ticketKeys })
    const client = openClient(of(ours))
    visit(server, client)
    server.reload({ certificate, preSharedKeys: new Map([...preSharedKeys, ['site-2', randomBytes(16)]]) })
    client.reload(of(ours))
    expect(visit(server, client)).toBe('resumed')
    client.reload({ ...of(ours), crl: authority.revoke([]) })
    expect(visit(server, client)).toBe('resumed')
    client.reload(of(authority.issue('renewed.example')))
    expect(visit(server, client)).toBe('full')
  })

  it('is forgotten after an alert, and not for a handshake that nobody answered', () => {
    const server = openServer({ preSharedKeys, ticketKeys })
    const client = openClient(psk)
    visit(server, client)
    client.close(client.connect(server.local, serverName))
    client.take()
    expect(visit(server, client)).toBe('resumed')
    client.connect(server.local, serverName)
    client.advance(61_000)
    client.handleTimeouts()
    expect(client.take().reports).toMatchObject([{ kind: 'failed', reason: 'timeout' }])
    expect(visit(server, client)).toBe('resumed')
  })
})

describe('sessions that a client gives to the next one', () => {
  const ticketKeys = [randomBytes(32)]
  const serve = (): MemoryEngine => openServer({ certificate, preSharedKeys, ticketKeys })

  function keptBy(credentials: ClientCredentials): ResumableSession {
    const client = openClient(credentials)
    visit(serve(), client)
    const [kept] = client.resumableSessions()
    if (kept === undefined) throw new Error('nothing was kept')
    return kept
  }

  it('are resumed there, and the server is who it was', () => {
    for (const credentials of [psk, of(ours)]) {
      const kept = keptBy(credentials)
      expect(kept).toMatchObject({ remote: local, serverName })
      expect(kept.expiresAtMs - Date.now()).toBeGreaterThan(83 * hours)
      expect(kept.expiresAtMs - Date.now()).toBeLessThanOrEqual(84 * hours)
      const server = serve()
      const client = openClient(credentials, [kept])
      client.connect(server.local, serverName)
      const { reports } = settle(server, client).client
      const identity =
        credentials.kind === 'psk'
          ? { kind: 'psk', identity: 'site-1' }
          : { kind: 'certificate', dnsNames: [serverName] }
      expect(reports).toMatchObject([{ kind: 'established', identity }])
      expect(server.stats()).toMatchObject({ handshakesResumed: 1 })
    }
  })

  it('are of no use with other credentials', () => {
    const kept = keptBy(of(ours))
    const other = of(authority.issue('client.example'))
    expect(visit(serve(), openClient(other, [kept]))).toBe('full')
    expect(visit(serve(), openClient({ ...of(ours), trustAnchors: certificate.trustAnchors }, [kept]))).toBe(
      'resumed'
    )
    expect(visit(serve(), openClient(psk, [kept]))).toBe('full')
  })

  it('are of no use for another name, address or port, nor when they are changed or cut', () => {
    const kept = keptBy(psk)
    const changed = Uint8Array.from(kept.state)
    changed[10] = (changed[10] ?? 0) ^ 1
    const wrong: readonly ResumableSession[] = [
      { ...kept, serverName: 'other.example' },
      { ...kept, remote: { ...local, port: 4647 } },
      { ...kept, remote: { ...local, address: ipv4(0x0a000009) } },
      { ...kept, state: changed },
      { ...kept, state: kept.state.subarray(0, -1) },
      { ...kept, state: Buffer.concat([kept.state, Buffer.of(0)]) },
      { ...kept, state: new Uint8Array(0) },
      { ...kept, state: randomBytes(70_000) }
    ]
    for (const each of wrong) {
      const client = openClient(psk, [each])
      expect(client.stats()).toMatchObject({ sessionsRefused: 1 })
      expect(visit(serve(), client)).toBe('full')
    }
  })

  it('are of no use whatever single byte of them was changed', () => {
    const kept = keptBy(of(ours))
    for (let at = 0; at < kept.state.length; at += 7) {
      const state = Uint8Array.from(kept.state)
      state[at] = (state[at] ?? 0) ^ 0xff
      expect(openClient(of(ours), [{ ...kept, state }]).stats()).toMatchObject({ sessionsRefused: 1 })
    }
  })

  it('end with their time, whatever is written beside them', () => {
    const client = openClient(psk)
    visit(serve(), client)
    client.advance(85 * hours)
    expect(client.resumableSessions()).toEqual([])
  })

  it('are those of as many servers as are kept: the oldest are forgotten first', () => {
    const kept = keptBy(psk)
    const client = openClient(psk, [kept, kept, kept])
    expect(client.resumableSessions()).toHaveLength(1)
  })
})

describe('a ticket of one address of a server', () => {
  const ticketKeys = [randomBytes(32)]
  const elsewhere = { address: ipv4(0x0a000003), port: 4747 }
  const inIpv6 = { address: parseIpAddress('2001:db8::1')!, port: 4646 }
  const at = (where: SocketAddress, parts: ServerParts = {}): MemoryEngine =>
    new MemoryEngine({ role: 'server', local: where, certificate, preSharedKeys, ticketKeys, ...parts })

  it('is good at its other addresses, in another family and in the next process', () => {
    for (const credentials of [psk, of(ours)]) {
      const client = openClient(credentials)
      expect(visit(at(local), client)).toBe('full')
      expect(visit(at(elsewhere), client)).toBe('resumed')
      const own = { address: parseIpAddress('2001:db8::2')!, port: 40_000 }
      const sessions = client.resumableSessions().filter(({ remote }) => remote.port === local.port)
      const next = new MemoryEngine({ role: 'client', local: own, credentials, sessions })
      expect(visit(at(inIpv6), next)).toBe('resumed')
    }
  })

  it('is not shown to a server of another name', () => {
    const client = openClient(psk)
    visit(at(local), client)
    const other = at(elsewhere)
    expect(visit(other, client, 'other.example')).toBe('full')
    expect(other.stats()).toMatchObject({ ticketsUnknown: 0 })
  })

  it('tells somebody else there nothing, who has to prove the name, and stays good where it was', () => {
    const client = openClient(of(ours))
    visit(at(local), client)
    const stranger = at(elsewhere, {
      certificate: authority.credentials('stranger.example'),
      ticketKeys: [randomBytes(32)]
    })
    expect(visit(stranger, client)).toBe('name-mismatch')
    expect(visit(at(local), client)).toBe('resumed')
  })

  it('is not shown again where it was not liked', () => {
    const client = openClient(of(ours))
    visit(at(local), client)
    const other = new TestAuthority('another CA')
    const choosy = at(elsewhere, { certificate: { ...certificate, trustAnchors: other.certificate } })
    other.remove()
    expect(visit(choosy, client)).toBe('peer-alert')
    expect(visit(at(elsewhere), client)).toBe('full')
    expect(visit(at(elsewhere), client)).toBe('resumed')
    expect(visit(at(local), client)).toBe('resumed')
  })

  it('is as old there as the full handshake that it comes of', () => {
    const client = openClient(psk)
    const [one, other] = [at(local), at(elsewhere)]
    visit(one, client)
    for (const each of [one, other, client]) each.advance(80 * hours)
    expect(visit(other, client)).toBe('resumed')
    for (const each of [one, other, client]) each.advance(5 * hours)
    expect(visit(other, client)).toBe('full')
  })
})

describe('a ticket that is too long for a ClientHello in one datagram', () => {
  it('is not kept: the next handshake is a full one and comes about', () => {
    const names = Array.from({ length: 30 }, (_, index) => `DNS:client-${index}.long.name.example`)
    const large = of(authority.issue('client.example', { alternativeNames: names.join(',') }))
    const server = openServer({ certificate })
    const client = openClient(large)
    expect(visit(server, client)).toBe('full')
    expect(client.stats()).toMatchObject({ sessionsRefused: 1 })
    expect(client.resumableSessions()).toEqual([])
    expect(visit(server, client)).toBe('full')
  })

  it('is one that just does not fit: the longest that is kept fits', () => {
    let kept = 0
    for (let extra = 0; extra < 24; extra++) {
      const names = Array.from({ length: extra + 1 }, (_, index) => `DNS:client-${index}.example`)
      const client = openClient(of(authority.issue('client.example', { alternativeNames: names.join(',') })))
      const server = openServer({ certificate })
      visit(server, client)
      if (client.resumableSessions().length === 0) break
      kept++
      expect(visit(server, client)).toBe('resumed')
    }
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThan(24)
  })
})
