import type { Duration } from '@breakwater/core'
import type { Resolver } from '@breakwater/dots'
import { address, resolverContract } from '@breakwater/testing'
import { afterAll, beforeAll, describe } from 'vitest'
import { TestAuthority } from '../../../dtls/test/pki.ts'
import { openPlainResolver, openTlsResolver } from '../../src/index.ts'
import { openBoundTcpSocket, openBoundUdpSocket } from '../../../dtls/src/index.ts'
import { obstacle, startNameService, startSilentService } from './name-service.ts'
import type { NameService } from './name-service.ts'
import { startTlsFront } from './tls-front.ts'

describe.skipIf(obstacle !== undefined)('against dnsmasq', () => {
  let authority: TestAuthority
  beforeAll(() => {
    authority = new TestAuthority('names')
  })
  afterAll(() => authority.remove())

  resolverContract('DNS', async () => {
    const service = await startNameService()
    const silent = await startSilentService()
    return {
      open: (timeLimit) => Promise.resolve(openPlainResolver({ servers: [service], timeLimit })),
      openDead: (timeLimit) => Promise.resolve(openPlainResolver({ servers: [silent], timeLimit })),
      close: async () => {
        await service.close()
        await silent.close()
      }
    }
  })

  resolverContract('DNS from an address and by an interface', async () => {
    const service = await startNameService()
    const silent = await startSilentService()
    const sockets = { openUdp: openBoundUdpSocket, openTcp: openBoundTcpSocket }
    const by = { source: address('127.0.0.9'), interface: 'lo' }
    const open = (server: NameService, timeLimit: Duration): Promise<Resolver> =>
      Promise.resolve(openPlainResolver({ servers: [{ ...server, ...by }], sockets, timeLimit }))
    return {
      open: (timeLimit) => open(service, timeLimit),
      openDead: (timeLimit) => open(silent, timeLimit),
      close: async () => {
        await service.close()
        await silent.close()
      }
    }
  })

  resolverContract('DNS over TLS', async () => {
    const service = await startNameService()
    const front = await startTlsFront(service, authority.issue('dns.example'))
    const silent = await startSilentService()
    const trust = { name: 'dns.example', trustAnchors: authority.certificate }
    return {
      open: (timeLimit) =>
        Promise.resolve(openTlsResolver({ servers: [{ address: front.address, ...trust }], timeLimit })),
      openDead: (timeLimit) =>
        Promise.resolve(openTlsResolver({ servers: [{ address: silent.address, ...trust }], timeLimit })),
      close: async () => {
        await front.close()
        await service.close()
        await silent.close()
      }
    }
  })
})
