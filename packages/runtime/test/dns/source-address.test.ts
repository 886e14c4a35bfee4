import { Milliseconds } from '@breakwater/core'
import type { Resolver } from '@breakwater/dots'
import { address } from '@breakwater/testing'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openBoundTcpSocket, openBoundUdpSocket } from '../../../dtls/src/index.ts'
import { openPlainResolver, openTlsResolver } from '../../src/index.ts'
import type { NameServerWay } from '../../src/index.ts'

/** Of two addresses of the host, the one that the domain's questions are to leave from. */
const source = address('127.0.0.9')
const sockets = { openUdp: openBoundUdpSocket, openTcp: openBoundTcpSocket }

function wayTo(port: number, via?: string): NameServerWay {
  const way = { address: { address: address('127.0.0.1'), port }, source }
  return via === undefined ? way : { ...way, interface: via }
}

/** Whether a question comes to a service over UDP, and from where. */
async function askedOverUdp(open: (port: number) => Resolver): Promise<string> {
  const service = createSocket('udp4').bind(0, '127.0.0.1')
  await once(service, 'listening')
  const asked = once(service, 'message')
  const resolver = open(service.address().port)
  const answer = resolver.resolve('alt-server.example').catch(() => 'unavailable')
  const [, from] = (await asked) as [Buffer, AddressInfo]
  await resolver.close()
  await answer
  service.close()
  return from.address
}

describe('the questions of a domain leave from its own address', () => {
  it.each([undefined, 'lo'])('in plain DNS, by interface %s', async (via) => {
    const from = await askedOverUdp((port) =>
      openPlainResolver({ servers: [wayTo(port, via)], sockets, timeLimit: Milliseconds(2000) })
    )
    expect(from).toBe('127.0.0.9')
  })

  it.each([undefined, 'lo'])('over TLS, by interface %s', async (via) => {
    const from: (string | undefined)[] = []
    const service = createServer((socket) => {
      from.push(socket.remoteAddress)
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(service, 'listening')
    const { port } = service.address() as AddressInfo
    const servers = [{ ...wayTo(port, via), name: 'dns.example' }]
    const resolver = openTlsResolver({ servers, sockets, timeLimit: Milliseconds(2000) })
    const answer = await resolver.resolve('alt-server.example').catch(() => 'unavailable')
    expect(answer).toBe('unavailable')
    expect(new Set(from)).toEqual(new Set(['127.0.0.9']))
    await resolver.close()
    service.close()
  })

  it('and by its interface or not at all', async () => {
    const servers = [wayTo(53, 'wan-that-is-gone'), wayTo(53, 'lo')]
    for (const tools of [{ sockets }, {}]) {
      const own = servers.slice(0, tools.sockets === undefined ? 2 : 1)
      const resolver = openPlainResolver({ servers: own, ...tools, timeLimit: Milliseconds(300) })
      await expect(resolver.resolve('server.example')).rejects.toThrow(/ENODEV|nothing here binds/)
      await resolver.close()
    }
  })
})
