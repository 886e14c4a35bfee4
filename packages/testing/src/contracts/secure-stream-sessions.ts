import { encodeUtf8 } from '@breakwater/core'
import { expect, it } from 'vitest'
import { attendClient, attendServer, connect, establish, pairOf, sendTexts } from './secure-pair.ts'
import { textFrom } from './streamed-text.ts'
import type { CurrentStreamWorld } from './secure-stream-world.ts'

const preSharedKey = {
  kind: 'psk',
  identity: 'site-1',
  key: Uint8Array.from({ length: 16 }, (_, index) => index)
} as const

const preSharedKeys: ReadonlyMap<string, Uint8Array> = new Map([[preSharedKey.identity, preSharedKey.key]])

export function streamSessionCases(world: CurrentStreamWorld): void {
  it('establishes a session with certificates, and each side learns who the other is', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    const ofServer = client.log.identityOf(toServer)
    const ofClient = server.log.identityOf(toClient)
    expect(ofServer).toMatchObject({ kind: 'certificate', dnsNames: [world().serverName] })
    expect(ofClient).toMatchObject({ kind: 'certificate', dnsNames: [world().clientName] })
    const digests = [ofServer, ofClient].map((one) => (one?.kind === 'certificate' ? one.spkiSha256 : ''))
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{64}$/)
    expect(digests[0]).not.toBe(digests[1])
  })

  it('establishes a session with a pre-shared key, and the server learns the identity', async () => {
    const server = await attendServer(world(), { preSharedKeys })
    const client = await attendClient(world(), { credentials: preSharedKey })
    const { toServer, toClient } = await establish(world(), server, client)
    expect(server.log.identityOf(toClient)).toEqual({ kind: 'psk', identity: preSharedKey.identity })
    expect(client.log.identityOf(toServer)?.kind).toBe('psk')
    expect(sendTexts(client.endpoint, toServer, ['by key'])).toBe(true)
    await world().until(() => textFrom(server, toClient) === 'by key')
  })

  it('serves clients with certificates and clients with keys at one server', async () => {
    const server = await attendServer(world(), { preSharedKeys })
    const byKey = await establish(world(), server, await attendClient(world(), { credentials: preSharedKey }))
    const byCertificate = await establish(world(), server, await attendClient(world()))
    expect(server.log.identityOf(byKey.toClient)?.kind).toBe('psk')
    expect(server.log.identityOf(byCertificate.toClient)?.kind).toBe('certificate')
  })

  it('reports the real port of a server that was told to choose one', async () => {
    const server = await attendServer(world())
    expect(server.endpoint.local.port).toBeGreaterThan(0)
    expect(server.endpoint.local.port).toBeLessThan(65_536)
    expect(server.endpoint.local.address).toEqual(world().address('server', 4))
  })

  it('reports the path of the session alike on both sides', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    const [there, back] = [client.log.pathOf(toServer), server.log.pathOf(toClient)]
    expect(there?.remote).toEqual(server.endpoint.local)
    expect(there?.local.address).toEqual(world().address('client', 4))
    expect(back).toEqual({ local: there?.remote, remote: there?.local })
  })

  it('works over IPv6', async () => {
    const { server, client, toServer, toClient } = await pairOf(world(), {
      server: { local: { address: world().address('server', 6), port: 0 } },
      client: { local: { address: world().address('client', 6), port: 0 } }
    })
    expect(server.log.pathOf(toClient)?.remote.address).toEqual(world().address('client', 6))
    expect(client.log.pathOf(toServer)?.remote).toEqual(server.endpoint.local)
    expect(sendTexts(client.endpoint, toServer, ['six'])).toBe(true)
    await world().until(() => textFrom(server, toClient) === 'six')
  })

  it('takes nothing before the session is established', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    const peer = connect(world(), client, server)
    expect(client.endpoint.send(peer, encodeUtf8('too early'))).toBe(false)
    expect(client.endpoint.maximumPlaintext(peer)).toBe(0)
    await world().until(() => client.log.isEstablished(peer))
    expect(client.endpoint.send(peer, encodeUtf8('in time'))).toBe(true)
    await world().until(() => server.log.received.length > 0)
    expect(textFrom(server, server.log.established()[0] ?? peer)).toBe('in time')
  })

  it('never reports the outcome of a handshake from within connect', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    connect(world(), client, server)
    expect(client.log.events).toEqual([])
    await world().until(() => client.log.events.length === 1)
  })

  it('reports a session before the first bytes of its peer', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    client.log.afterEvent = (event) => void sendTexts(client.endpoint, event.peer, ['at once'])
    connect(world(), client, server)
    await world().until(() => server.log.received.length > 0)
    const [peer] = server.log.established()
    expect(server.log.story[0]).toBe(`established ${peer}`)
  })

  it('keeps many sessions apart', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    const peers = Array.from({ length: 20 }, () => connect(world(), client, server))
    await world().until(() => [client, server].every(({ log }) => log.established().length === 20))
    for (const peer of peers)
      sendTexts(client.endpoint, peer, [`from ${client.log.pathOf(peer)?.local.port}`])
    const spoke = (): boolean =>
      server.log
        .established()
        .every((peer) => textFrom(server, peer) === `from ${server.log.pathOf(peer)?.remote.port}`)
    await world().until(spoke)
    expect(spoke()).toBe(true)
  })

  it('never gives one peer id to two peers, whichever endpoint they belong to', async () => {
    const first = await pairOf(world())
    const second = await pairOf(world())
    const third = await establish(world(), first.server, await attendClient(world()))
    const ids = [first, second, third].flatMap(({ toServer, toClient }) => [toServer, toClient])
    expect(new Set(ids).size).toBe(6)
  })

  it('lets one client keep sessions to several servers', async () => {
    const client = await attendClient(world())
    const servers = await Promise.all([attendServer(world()), attendServer(world())])
    const peers = servers.map((server) => connect(world(), client, server))
    await world().until(() => client.log.established().length === 2)
    for (const [index, peer] of peers.entries()) sendTexts(client.endpoint, peer, [`to ${index}`])
    await world().until(() => servers.every(({ log }) => log.received.length > 0))
    for (const [index, server] of servers.entries())
      expect(textFrom(server, server.log.established()[0] ?? peers[0]!)).toBe(`to ${index}`)
  })
}
