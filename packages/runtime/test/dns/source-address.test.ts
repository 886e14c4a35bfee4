import { Milliseconds } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openPlainResolver, openTlsResolver } from '../../src/index.ts'

const LOOPBACK = address('127.0.0.1')
/** Of two addresses of the host, the one that the domain's questions are to leave from. */
const sources = [address('127.0.0.9'), address('::1')]

describe('the questions of a domain leave from its own address', () => {
  it('in plain DNS', async () => {
    const service = createSocket('udp4').bind(0, '127.0.0.1')
    await once(service, 'listening')
    const asked = once(service, 'message')
    const servers = [{ address: LOOPBACK, port: service.address().port }]
    const resolver = openPlainResolver({ servers, sources, timeLimit: Milliseconds(2000) })
    const answer = resolver.resolve('alt-server.example').catch(() => 'unavailable')
    expect((await asked)[1]).toMatchObject({ address: '127.0.0.9' })
    await resolver.close()
    await answer
    service.close()
  })

  it('over TLS', async () => {
    const from: (string | undefined)[] = []
    const service = createServer((socket) => {
      from.push(socket.remoteAddress)
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(service, 'listening')
    const { port } = service.address() as AddressInfo
    const servers = [{ address: { address: LOOPBACK, port }, name: 'dns.example' }]
    const resolver = openTlsResolver({ servers, sources, timeLimit: Milliseconds(2000) })
    const answer = await resolver.resolve('alt-server.example').catch(() => 'unavailable')
    expect(answer).toBe('unavailable')
    expect(new Set(from)).toEqual(new Set(['127.0.0.9']))
    await resolver.close()
    service.close()
  })
})
