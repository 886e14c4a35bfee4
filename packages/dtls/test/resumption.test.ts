import { ipv4 } from '@breakwater/core'
import type { PeerId, SecureEndpoint, SessionEvent } from '@breakwater/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDtlsEndpoint } from '../src/index.ts'
import { eventually } from './eventually.ts'
import { LossyRelay } from './lossy-relay.ts'
import type { Side } from './lossy-relay.ts'
import { TestAuthority } from './pki.ts'

const local = { address: ipv4(0x7f000001), port: 0 }

describe('a client that comes back to a server', () => {
  let authority: TestAuthority
  let server: SecureEndpoint
  let client: SecureEndpoint
  let relay: LossyRelay
  let atServer: SessionEvent[]
  let atClient: SessionEvent[]
  let passed: { to: Side; bytes: number }[]
  let loses: (to: Side) => boolean
  beforeAll(() => void (authority = new TestAuthority('Breakwater test CA')))
  afterAll(() => authority.remove())
  beforeEach(async () => {
    atServer = []
    atClient = []
    passed = []
    loses = () => false
    const certificate = authority.credentials('server.example')
    server = await openDtlsEndpoint(
      { role: 'server', local, certificate },
      { onBatch: () => undefined, onSession: (event) => void atServer.push(event) }
    )
    relay = await LossyRelay.open(local, local, (datagram, to) => {
      if (loses(to)) return []
      passed.push({ to, bytes: datagram.length })
      return [datagram]
    })
    relay.server = server.local
    const credentials = authority.credentials('client.example')
    client = await openDtlsEndpoint(
      { role: 'client', local, credentials },
      { onBatch: () => undefined, onSession: (event) => void atClient.push(event) }
    )
  })
  afterEach(async () => {
    await Promise.all([client.destroy(), server.destroy()])
    relay.close()
  })

  async function session(serverName = 'server.example'): Promise<PeerId> {
    const [here, there] = [atClient.length, atServer.length]
    passed = []
    const peer = client.connect({ remote: relay.front, serverName })
    await eventually('an outcome', () => atClient.length > here && atServer.length > there)
    return peer
  }

  async function goodbye(peer: PeerId): Promise<void> {
    const there = atServer.length
    client.close(peer)
    await eventually('the end', () => atServer.length > there)
  }

  const bytesPassed = (): number => passed.reduce((sum, { bytes }) => sum + bytes, 0)

  it('resumes its session without another exchange of certificates, and is the same to the server', async () => {
    await goodbye(await session())
    const full = bytesPassed()
    await session()
    expect(server.stats()).toMatchObject({ handshakesFinished: 2, handshakesResumed: 1 })
    expect(bytesPassed()).toBeLessThan(full)
    const established = atServer.filter((event) => event.kind === 'established')
    expect(established[1]?.identity).toEqual(established[0]?.identity)
    const known = atClient.filter((event) => event.kind === 'established')
    expect(known[1]?.identity).toEqual(known[0]?.identity)
  })

  it('resumes when the last flight is lost', async () => {
    await goodbye(await session())
    let toServer = 0
    loses = (to) => to === 'server' && ++toServer === 3
    await session()
    expect(toServer).toBeGreaterThan(3)
    expect(server.stats()).toMatchObject({ handshakesResumed: 1 })
    expect(atServer.at(-1)).toMatchObject({ kind: 'established' })
  })

  it('does not take the session of one name for another', async () => {
    await goodbye(await session())
    await session('elsewhere.example')
    expect(atClient.at(-1)).toMatchObject({ kind: 'failed', reason: 'name-mismatch' })
    expect(server.stats()).toMatchObject({ handshakesResumed: 0 })
  })

  it('starts anew with a server that has forgotten everything', async () => {
    await session()
    const certificate = authority.credentials('server.example')
    const { local: where } = server
    await server.destroy()
    await eventually('the goodbye', () => atClient.length === 2)
    server = await openDtlsEndpoint(
      { role: 'server', local: where, certificate },
      { onBatch: () => undefined, onSession: (event) => void atServer.push(event) }
    )
    await session()
    expect(atClient.at(-1)).toMatchObject({ kind: 'established' })
    expect(server.stats()).toMatchObject({ handshakesFinished: 1, handshakesResumed: 0 })
  })
})
