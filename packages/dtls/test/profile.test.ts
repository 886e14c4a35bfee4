import { ipv4, ipv6 } from '@breakwater/core'
import type { CertificateCredentials, IpAddress } from '@breakwater/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../src/memory-engine.ts'
import { ContentType, HandshakeType, decodeHandshake, decodeRecords } from './dtls-wire.ts'
import { establishedIn, settle } from './memory-pair.ts'
import { TestAuthority } from './pki.ts'

const psk = Buffer.from('0123456789abcdef')
const serverName = 'server.example'
const ecdhePskChacha20Poly1305 = 0xccac
const headerBytes = { 4: 20 + 8, 6: 40 + 8 } as const
const recordHeaderBytes = 13

const addressOf = (family: 4 | 6, host: number): IpAddress =>
  family === 4 ? ipv4(0x0a000000 + host) : ipv6(0x20010db8, 0, 0, host)

let authority: TestAuthority
let serverCertificate: CertificateCredentials
let clientCertificate: CertificateCredentials
beforeAll(() => {
  authority = new TestAuthority('Breakwater test CA')
  serverCertificate = authority.credentials(serverName)
  const { certificate, ...rest } = authority.credentials('client.example')
  // A long chain, so that a flight needs more than one datagram.
  clientCertificate = { ...rest, certificate: `${certificate}${authority.certificate.repeat(3)}` }
})
afterAll(() => authority.remove())

function openPair(family: 4 | 6, mtu?: number): readonly [server: MemoryEngine, client: MemoryEngine] {
  const limits = mtu === undefined ? {} : { mtu }
  const preSharedKeys = new Map([['site-1', psk]])
  return [
    new MemoryEngine({
      role: 'server',
      local: { address: addressOf(family, 1), port: 4646 },
      certificate: serverCertificate,
      preSharedKeys,
      ...limits
    }),
    new MemoryEngine({
      role: 'client',
      local: { address: addressOf(family, 2), port: 40_000 },
      credentials: clientCertificate,
      ...limits
    })
  ]
}

function pskClient(): MemoryEngine {
  const credentials = { kind: 'psk', identity: 'site-1', key: psk } as const
  return new MemoryEngine({ role: 'client', local: { address: addressOf(4, 3), port: 40_000 }, credentials })
}

describe('RFC 9132 §7.3', () => {
  it.for([4, 6] as const)(
    'assumes a path MTU of 1280 bytes over IPv%i, handshake included [RFC9132-7.3-M01]',
    (family) => {
      const [server, client] = openPair(family)
      client.connect(server.local, serverName)
      const { toServer, toClient, client: takings } = settle(server, client)
      const peer = establishedIn(takings)
      const whole = takings.reports.flatMap((report) =>
        report.kind === 'established' ? [report.maximumPlaintext] : []
      )
      expect(client.send(peer, new Uint8Array(whole[0] ?? 0))).toBe(true)
      const all = [...toServer, ...toClient, ...settle(server, client).toServer]
      const longest = Math.max(...all.map((datagram) => datagram.length + headerBytes[family]))
      expect(longest).toBeLessThanOrEqual(1280)
      expect(longest).toBeGreaterThan(1280 - 32)
    }
  )

  it('carries no more than fits beside record header and authentication [RFC9132-7.3-M02]', () => {
    for (const mtu of [576, 1280, 1500]) {
      const [server, client] = openPair(4, mtu)
      client.connect(server.local, serverName)
      const peer = establishedIn(settle(server, client).client)
      const largest = mtu - headerBytes[4] - recordHeaderBytes - 24
      expect(client.send(peer, new Uint8Array(largest + 1))).toBe(false)
      expect(client.send(peer, new Uint8Array(largest))).toBe(true)
      expect(settle(server, client).toServer.map((datagram) => datagram.length + headerBytes[4])).toEqual([
        mtu
      ])
    }
  })
})

describe('RFC 9132 §7.1', () => {
  it('names the server in the SNI extension [RFC9132-7.1-S03]', () => {
    const [server, client] = openPair(4)
    client.connect(server.local, serverName)
    const [hello] = client.take().datagrams
    // RFC 6066 §3: host_name (0), two bytes of length, the name.
    const extension = Buffer.concat([Buffer.of(0, 0, serverName.length), Buffer.from(serverName)])
    expect(Buffer.from(hello?.bytes ?? []).includes(extension)).toBe(true)
  })

  it('detects replays, resumes without state at the server, and does PSK with ECDHE [RFC9132-7.1-M05]', () => {
    const [server] = openPair(4)
    const client = pskClient()
    client.connect(server.local, serverName)
    const first = settle(server, client)
    const records = first.toClient.flatMap((datagram) => decodeRecords(datagram))
    const plain = records.filter(({ epoch, type }) => epoch === 0 && type === ContentType.handshake)
    const messages = plain.flatMap(({ fragment }) => decodeHandshake(fragment))
    const hello = messages.find(({ type }) => type === HandshakeType.serverHello)
    const afterSession = 35 + (hello?.body.readUInt8(34) ?? 0)
    expect(hello?.body.readUInt16BE(afterSession)).toBe(ecdhePskChacha20Poly1305)

    const peer = establishedIn(first.client)
    client.send(peer, Buffer.from('once'))
    const [record] = client.take().datagrams
    for (let copy = 0; copy < 3; copy++) server.feed(client.local, record?.bytes ?? new Uint8Array(1))
    expect(server.take().plaintexts).toHaveLength(1)

    client.close(peer)
    settle(server, client)
    expect(server.stats()).toMatchObject({ peers: 0, handshakesResumed: 0 })
    client.connect(server.local, serverName)
    establishedIn(settle(server, client).client)
    expect(server.stats()).toMatchObject({ peers: 1, handshakesResumed: 1 })
  })
})
