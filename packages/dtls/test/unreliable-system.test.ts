import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { UnavailableError, ipv4 } from '@breakwater/core'
import type { SocketAddress } from '@breakwater/core'
import { afterEach, describe, expect, it } from 'vitest'
import { addon } from '../src/addon.ts'
import { openDtlsEndpoint } from '../src/index.ts'
import { MemoryEngine } from '../src/memory-engine.ts'
import { eventually } from './eventually.ts'
import { ForgingClient } from './forging-client.ts'

const psk = Buffer.from('0123456789abcdef')
const preSharedKeys = new Map([['site-1', psk]])
const loopback: SocketAddress = { address: ipv4(0x7f000001), port: 0 }
const clientAddress: SocketAddress = { address: ipv4(0xc6336401), port: 40_000 }

const openServer = (): MemoryEngine =>
  new MemoryEngine({ role: 'server', local: loopback, preSharedKeys, constrainedPeers: true })

describe('when the system gives no random numbers', () => {
  afterEach(() => addon.memoryBreakRandom(false))

  it('an endpoint refuses to open', () => {
    addon.memoryBreakRandom(true)
    let refusal: unknown
    try {
      openServer()
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(UnavailableError)
    expect(refusal).toMatchObject({ code: 'DTLS_RANDOM_UNAVAILABLE', retryable: true })
  })

  it('a server whose cookie secret is to be renewed makes no cookie, takes none, and goes on when they are back', () => {
    const server = openServer()
    const client = new ForgingClient(server, clientAddress, 'site-1', psk)
    client.feed(client.hello())
    const cookie = client.answers()[0]?.fragment.subarray(15) ?? Buffer.alloc(0)
    expect(cookie).toHaveLength(16)
    addon.memoryBreakRandom(true)
    server.advance(60_001)
    client.feed(client.hello(cookie), client.hello())
    expect(server.take().datagrams).toEqual([])
    expect(server.stats()).toMatchObject({ hellosVerified: 0, peers: 0 })
    addon.memoryBreakRandom(false)
    const later = new ForgingClient(server, clientAddress, 'site-1', psk)
    later.handshake()
    expect(server.take().reports).toMatchObject([{ kind: 'established' }])
  })
})

/** The descriptor of this process's UDP socket on an IPv4 port. */
function descriptorOf(port: number): number {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = readFileSync('/proc/self/net/udp', 'utf8').split('\n')
  const inode = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([, local]) => local?.endsWith(ending))?.[9]
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${name}`) === `socket:[${inode}]`) return Number(name)
    } catch {
      // The descriptor that listed the folder is closed again.
    }
  }
  throw new Error(`no socket on port ${port}`)
}

/** Asks for ICMP errors (IP_RECVERR) on descriptor 3, and makes one by sending to a port where nobody is. */
const upset = `use Socket; open(my $socket, '+<&=', 3) or die $!;
  setsockopt($socket, 0, 11, pack('i', 1)) or die $!;
  send($socket, 'x', 0, pack_sockaddr_in(9, inet_aton('127.0.0.1'))) or die $!;`

describe('when the socket of an endpoint holds an error', () => {
  it('it takes the error, listens on and does not spin', async () => {
    const established: string[] = []
    const handlers = {
      onBatch: () => undefined,
      onSession: ({ kind }: { kind: string }) => established.push(kind)
    }
    const server = await openDtlsEndpoint(
      { role: 'server', local: loopback, preSharedKeys, constrainedPeers: true },
      handlers
    )
    const run = spawnSync('perl', ['-e', upset], {
      stdio: ['ignore', 'pipe', 'pipe', descriptorOf(server.local.port)],
      encoding: 'utf8'
    })
    expect([run.status, run.stderr]).toEqual([0, ''])
    await eventually('the error', () => (server.stats()['socketErrors'] ?? 0) > 0)
    const credentials = { kind: 'psk', identity: 'site-1', key: psk } as const
    const client = await openDtlsEndpoint({ role: 'client', local: loopback, credentials }, handlers)
    client.connect({ remote: server.local, serverName: 'server.example' })
    await eventually('both sides', () => established.length === 2)
    expect(established).toEqual(['established', 'established'])
    expect(server.stats()['socketErrors']).toBeLessThan(5)
    await Promise.all([server.destroy(), client.destroy()])
  })
})
