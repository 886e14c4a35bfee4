import { ipv4, Milliseconds, Seconds } from '@breakwater/core'
import type { ClientEndpointOptions, Duration } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { openDtlsEndpoint } from '../src/index.ts'
import { MemoryEngine } from '../src/memory-engine.ts'
import { eventually } from './eventually.ts'

const credentials = { kind: 'psk', identity: 'site-1', key: Buffer.from('0123456789abcdef') } as const
const silent = { address: ipv4(0x0a000001), port: 4646 }

function clientWith(options: Partial<ClientEndpointOptions> = {}): MemoryEngine {
  const local = { address: ipv4(0x0a000002), port: 40_000 }
  return new MemoryEngine({ role: 'client', local, credentials, ...options })
}

const retransmitted = (client: MemoryEngine): number => {
  client.handleTimeouts()
  return client.stats()['retransmits'] ?? 0
}

describe('the retransmission of a handshake', () => {
  it('begins after 1 s; after 400 ms where that was asked of the endpoint or of one handshake', async () => {
    const usual = clientWith()
    const hasty = clientWith({ handshakeRetransmission: Milliseconds(400) })
    const once = clientWith()
    const started = performance.now()
    usual.connect(silent, '')
    hasty.connect(silent, '')
    once.connect(silent, '', 400)
    await eventually('the first retransmissions', () => retransmitted(hasty) + retransmitted(once) === 2)
    expect(performance.now() - started).toBeGreaterThanOrEqual(399)
    // OpenSSL reads the clock itself: on a machine that stood still for so long there is nothing to see.
    const early = retransmitted(usual)
    if (performance.now() - started < 1000) expect(early).toBe(0)
    await eventually('the usual one', () => retransmitted(usual) === 1)
    expect(performance.now() - started).toBeGreaterThanOrEqual(999)
  })

  it('follows a change while the handshake is under way: a hello without an answer is sent again in time', async () => {
    const client = clientWith()
    client.retime(client.connect(silent, ''), 400)
    client.take()
    client.advance(300)
    expect(retransmitted(client)).toBe(0)
    client.advance(100)
    const second = performance.now()
    expect(retransmitted(client)).toBe(1)
    expect(client.take().datagrams).toHaveLength(1)
    // Doubled (RFC 6347 §4.2.4.1), as if it had begun so: at 0, 0.4 and 1.2 s.
    await eventually('a third hello', () => retransmitted(client) === 2)
    expect(performance.now() - second).toBeGreaterThanOrEqual(799)
  })

  it('goes back to the usual timer, too, which puts off nothing', () => {
    const client = clientWith()
    const peer = client.connect(silent, '')
    client.retime(peer, 400)
    client.retime(peer, 0)
    client.advance(500)
    expect(retransmitted(client)).toBe(0)
  })

  it('is not begun anew when the server has answered', () => {
    const local = { address: ipv4(0x0a000001), port: 4646 }
    const server = new MemoryEngine({
      role: 'server',
      local,
      preSharedKeys: new Map([[credentials.identity, credentials.key]])
    })
    const client = clientWith()
    const peer = client.connect(silent, '')
    for (const [from, to] of [
      [client, server],
      [server, client]
    ] as const)
      for (const { bytes } of from.take().datagrams) to.feed(from.local, bytes)
    client.retime(peer, 400)
    client.advance(500)
    expect(retransmitted(client)).toBe(0)
  })

  it.for([Milliseconds(399), Milliseconds(0), Milliseconds(-1), Milliseconds(1.5 * 400.1), Seconds(61)])(
    'is not taken at %f ms',
    async (handshakeRetransmission: Duration) => {
      const refusal = expect.objectContaining({ code: 'DTLS_OPTIONS_INVALID' })
      expect(() => clientWith({ handshakeRetransmission })).toThrow(refusal)
      const local = { address: ipv4(0x7f000001), port: 0 }
      const handlers = { onBatch: () => undefined, onSession: () => undefined }
      const endpoint = await openDtlsEndpoint({ role: 'client', local, credentials }, handlers)
      const request = { remote: local, serverName: '', handshakeRetransmission }
      expect(() => endpoint.connect(request)).toThrow(refusal)
      await endpoint.destroy()
    }
  )
})
