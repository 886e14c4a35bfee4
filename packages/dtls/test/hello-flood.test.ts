import { ConfigError, ipv4, ipv6 } from '@breakwater/core'
import type { IpAddress, SecureEndpointLimits, SocketAddress } from '@breakwater/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../src/memory-engine.ts'
import { ForgingClient } from './forging-client.ts'

const psk = Buffer.from('0123456789abcdef')
const bad = ipv4(0xc6336401)
const good = ipv4(0xc6336402)
const third = ipv4(0xc6336403)

let server: MemoryEngine

function openServer(limits: SecureEndpointLimits): MemoryEngine {
  const local = { address: ipv4(0xc0000201), port: 4646 }
  const preSharedKeys = new Map([['site-1', psk]])
  return new MemoryEngine({ role: 'server', local, preSharedKeys, limits, constrainedPeers: true })
}

const at = (address: IpAddress, port = 40_000): SocketAddress => ({ address, port })
const clientAt = (address: IpAddress, port?: number): ForgingClient =>
  new ForgingClient(server, at(address, port), 'site-1', psk)

/** First hellos from many ports of one source. Returns how many were answered. */
function flood(count: number, from: (index: number) => IpAddress): number {
  const hello = clientAt(from(0)).hello()
  let answered = 0
  for (let index = 0; index < count; index++) {
    server.feed(at(from(index), 1 + (index % 60_000)), hello)
    answered += server.take().datagrams.length
  }
  return answered
}

function expectSession(client: ForgingClient): void {
  client.handshake()
  expect(server.take().reports).toMatchObject([{ kind: 'established' }])
}

function expectData(client: ForgingClient, text: string): void {
  client.feed(client.data(text))
  expect(server.take().plaintexts).toMatchObject([{ bytes: new Uint8Array(Buffer.from(text)) }])
}

describe('under a flood of ClientHellos, a server', () => {
  beforeEach(() => {
    server = openServer({ hellosPerSecondPerSource: 10, unverifiedHellosPerSecond: 100 })
  })

  it('drops most of those of one source, while a session goes on and somebody else gets one', () => {
    const established = clientAt(third)
    expectSession(established)
    const answered = flood(2000, () => bad)
    expect(answered).toBeGreaterThanOrEqual(20)
    expect(answered).toBeLessThan(60)
    expect(server.stats()).toMatchObject({ hellosOverRate: 2000 - answered, hellosOverBudget: 0 })
    expectData(established, 'during the flood')
    expectSession(clientAt(good))
  })

  it('counts an IPv6 /64 as one source, and the next one as another', () => {
    expect(flood(200, (index) => ipv6(0x20010db8, 1, index, index))).toBeLessThan(60)
    expectSession(clientAt(ipv6(0x20010db8, 2, 0, 1)))
  })

  it('takes the source in again when it has calmed down', () => {
    flood(200, () => bad)
    expect(flood(1, () => bad)).toBe(0)
    server.advance(2000)
    expectSession(clientAt(bad))
  })

  it('answers only so many that prove nothing, however many sources are forged', () => {
    const answered = flood(5000, (index) => ipv4(0x0a000000 + index * 7919))
    expect(answered).toBeGreaterThanOrEqual(90)
    expect(answered).toBeLessThan(300)
    expect(server.stats()).toMatchObject({ peers: 0, handshaking: 0 })
    expect(server.stats()['hellosOverBudget']).toBeGreaterThan(4000)
  })

  it('lets a client with a good cookie through when the budget for the others is spent', () => {
    const client = clientAt(good)
    client.feed(client.hello())
    const cookie = client.answers()[0]?.fragment.subarray(15) ?? Buffer.alloc(0)
    flood(5000, (index) => ipv4(0x0a000000 + index * 7919))
    client.feed(client.hello(cookie))
    expect(server.stats()).toMatchObject({ hellosVerified: 1, handshaking: 1 })
  })

  it('takes no forged cookie for a proof', () => {
    const client = clientAt(good)
    for (let copy = 0; copy < 200; copy++) client.feed(client.hello(Buffer.alloc(16, copy)))
    expect(server.stats()).toMatchObject({ hellosVerified: 0 })
    expect(server.stats()['hellosOverRate']).toBeGreaterThan(140)
  })

  it('bounds what one source may begin even with good cookies', () => {
    const clients = Array.from({ length: 200 }, (_, index) => clientAt(bad, 1 + index))
    let verified = 0
    for (const client of clients) {
      server.advance(100)
      client.feed(client.hello())
      const cookie = client.answers()[0]?.fragment.subarray(15)
      if (cookie === undefined) continue
      for (let copy = 0; copy < 10; copy++) {
        const twin = clientAt(bad, client.address.port)
        twin.feed(twin.hello(cookie))
      }
      verified++
    }
    expect(verified).toBeGreaterThan(150)
    // One new token for each step of 100 ms, and the 20 of the beginning; ten times as many were sent.
    expect(server.stats()['hellosVerified']).toBeLessThan(260)
  })
})

it('a server refuses limits that cannot be', () => {
  expect(() => openServer({ hellosPerSecondPerSource: 0 })).toThrow(ConfigError)
  expect(() => openServer({ unverifiedHellosPerSecond: 1.5 })).toThrow(/limits.unverifiedHellosPerSecond/)
})
