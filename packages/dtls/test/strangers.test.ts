import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { encodeMessage, Method, uriPath } from '@breakwater/coap'
import { ipv4 } from '@breakwater/core'
import type { SecureEndpoint, SessionEvent, SocketAddress } from '@breakwater/core'
import { afterEach, describe, expect, it } from 'vitest'
import { openDtlsEndpoint } from '../src/index.ts'
import { MemoryEngine } from '../src/memory-engine.ts'
import { eventually } from './eventually.ts'
import { ForgingClient } from './forging-client.ts'

const psk = Buffer.from('0123456789abcdef')
const stranger: SocketAddress = { address: ipv4(0xc6336401), port: 40_000 }

function serverInMemory(): MemoryEngine {
  const local = { address: ipv4(0xc0000201), port: 4646 }
  return new MemoryEngine({ role: 'server', local, preSharedKeys: new Map([['site-1', psk]]) })
}

/** Bytes that leave for these that came. */
function answerTo(server: MemoryEngine, bytes: Uint8Array): number {
  server.feed(stranger, bytes)
  return server.take().datagrams.reduce((sum, { bytes: out }) => sum + out.length, 0)
}

describe('RFC 7252 §11.3: who has not authenticated gets no more than it sent', () => {
  it('a request in clear text gets nothing, whatever it asks for [RFC7252-11.3-S01]', () => {
    const server = serverInMemory()
    for (const type of ['confirmable', 'non-confirmable'] as const) {
      const options = uriPath('.well-known', 'dots', 'mitigate')
      const head = { type, code: Method.get, messageId: 1, token: Uint8Array.of(1), options }
      expect(answerTo(server, encodeMessage({ ...head, payload: new Uint8Array(0) }))).toBe(0)
    }
    expect(answerTo(server, Uint8Array.of(0x40, 0, 0, 1))).toBe(0)
  })

  it('a ClientHello gets a cookie and no more bytes than it has itself [RFC7252-11.3-S01]', () => {
    const server = serverInMemory()
    const hello = new ForgingClient(server, stranger, 'site-1', psk).hello()
    const out = answerTo(server, hello)
    expect(out).toBeGreaterThan(0)
    expect(out).toBeLessThanOrEqual(hello.length)
  })
})

describe('RFC 7252 §4.2: ICMP errors', () => {
  const open: SecureEndpoint[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((endpoint) => endpoint.destroy()))
  })

  const endpoint = async (options: Parameters<typeof openDtlsEndpoint>[0]) => {
    const events: SessionEvent[] = []
    const one = await openDtlsEndpoint(options, {
      onBatch: () => undefined,
      onSession: (event) => void events.push(event)
    })
    open.push(one)
    return { one, events }
  }

  it('"port unreachable" ends nothing, as anybody could have sent it: the server is found when it comes [RFC7252-4.2-S01]', async () => {
    const probe = createSocket('udp4')
    probe.bind(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address()
    probe.close()
    await once(probe, 'close')
    const at = { address: ipv4(0x7f000001), port }
    const credentials = { kind: 'psk', identity: 'site-1', key: psk } as const
    const client = await endpoint({ role: 'client', local: { ...at, port: 0 }, credentials })
    client.one.connect({ remote: at, serverName: 'server.example' })
    // The kernel answers the first ClientHello by an ICMP error while nobody listens.
    await pause(200)
    expect(client.events).toEqual([])
    await endpoint({ role: 'server', local: at, preSharedKeys: new Map([['site-1', psk]]) })
    await eventually('a session', () => client.events.length > 0)
    expect(client.events).toMatchObject([{ kind: 'established' }])
  })
})
