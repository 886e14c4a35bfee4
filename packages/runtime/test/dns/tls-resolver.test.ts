import { Seconds, UnavailableError } from '@breakwater/core'
import type { SocketAddress } from '@breakwater/core'
import type { Resolver } from '@breakwater/dots'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestAuthority } from '../../../dtls/test/pki.ts'
import { openTlsResolver } from '../../src/index.ts'
import { obstacle, startNameService, startSilentService } from './name-service.ts'
import type { NameService } from './name-service.ts'
import { startEavesdropper, startTlsFront } from './tls-front.ts'

describe.skipIf(obstacle !== undefined)('RFC 9132 §11: targets by name', () => {
  let authority: TestAuthority
  let service: NameService
  const closing: (() => Promise<void>)[] = []
  beforeAll(() => {
    authority = new TestAuthority('names')
  })
  afterAll(() => authority.remove())
  beforeEach(async () => {
    service = await startNameService()
  })
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
    await service.close()
  })

  function resolverAt(...addresses: SocketAddress[]): Resolver {
    const trust = { name: 'dns.example', trustAnchors: authority.certificate }
    const servers = addresses.map((address) => ({ address, ...trust }))
    const resolver = openTlsResolver({ servers, timeLimit: Seconds(2) })
    closing.push(() => resolver.close())
    return resolver
  }

  async function front(name: string, issuer = authority): Promise<NameService> {
    const started = await startTlsFront(service, issuer.issue(name))
    closing.push(() => started.close())
    return started
  }

  it('are resolved so that nobody on the way learns of them [RFC9132-11-M05]', async () => {
    const ear = await startEavesdropper(await front('dns.example'))
    closing.push(() => ear.close())
    const answer = await resolverAt(ear.address).resolve('both.example')
    expect(answer).toMatchObject({ kind: 'addresses' })
    expect(ear.seen().length).toBeGreaterThan(100)
    expect(ear.seen()).not.toContain('both')
    // The name of the server itself is public; a name that is asked for would stand there in the same form.
    expect(ear.seen()).toContain('dns.example')
  })

  it('are not asked of a server that cannot prove its name, so that answers are authentic [RFC9132-11-M05]', async () => {
    const impostor = await front('other.example')
    await expect(resolverAt(impostor.address).resolve('both.example')).rejects.toBeInstanceOf(
      UnavailableError
    )
    const stranger = new TestAuthority('strangers')
    const forged = await front('dns.example', stranger)
    await expect(resolverAt(forged.address).resolve('both.example')).rejects.toBeInstanceOf(UnavailableError)
    stranger.remove()
  })

  it('are asked of the next server when one does not answer', async () => {
    const silent = await startSilentService()
    closing.push(() => silent.close())
    const good = await front('dns.example')
    const answer = await resolverAt(silent.address, good.address).resolve('four.example')
    expect(answer).toMatchObject({ kind: 'addresses', addresses: [{ family: 4 }] })
  })

  it('take a new connection when the old one has broken', async () => {
    const first = await startTlsFront(service, authority.issue('dns.example'))
    const resolver = resolverAt(first.address)
    await resolver.resolve('four.example')
    await first.close()
    await expect(resolver.resolve('four.example')).rejects.toBeInstanceOf(UnavailableError)
    const second = await front('dns.example')
    expect(await resolverAt(second.address).resolve('four.example')).toMatchObject({ kind: 'addresses' })
  })
})
