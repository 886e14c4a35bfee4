import { encodeUtf8, parseIpAddress } from '@breakwater/core'
import { expect, it } from 'vitest'
import { attendClient, attendServer, connect, establish, pairOf, sendTexts } from './secure-pair.ts'
import type { CurrentWorld } from './secure-endpoint-world.ts'

const preSharedKey = {
  kind: 'psk',
  identity: 'site-1',
  key: Uint8Array.from({ length: 16 }, (_, index) => index)
} as const

const preSharedKeys: ReadonlyMap<string, Uint8Array> = new Map([[preSharedKey.identity, preSharedKey.key]])

export function sessionCases(world: CurrentWorld): void {
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

  it('gives the same key digest in every session of one certificate', async () => {
    const { server, client, toClient } = await pairOf(world())
    const other = await establish(world(), server, await attendClient(world()))
    expect(server.log.identityOf(other.toClient)).toEqual(server.log.identityOf(toClient))
    expect(client.log.events).toHaveLength(1)
  })

  it('establishes a session with a pre-shared key, and the server learns the identity', async () => {
    const server = await attendServer(world(), { preSharedKeys })
    const client = await attendClient(world(), { credentials: preSharedKey })
    const { toServer, toClient } = await establish(world(), server, client)
    expect(server.log.identityOf(toClient)).toEqual({ kind: 'psk', identity: preSharedKey.identity })
    expect(client.log.identityOf(toServer)?.kind).toBe('psk')
    expect(sendTexts(client.endpoint, toServer, ['by key'])).toBe(true)
    await world().until(() => server.log.received.length === 1)
    expect(server.log.textsFrom(toClient)).toEqual(['by key'])
  })

  it('serves clients with certificates and clients with keys at one server', async () => {
    const server = await attendServer(world(), { preSharedKeys })
    const byKey = await establish(world(), server, await attendClient(world(), { credentials: preSharedKey }))
    const byCertificate = await establish(world(), server, await attendClient(world()))
    expect(server.log.identityOf(byKey.toClient)?.kind).toBe('psk')
    expect(server.log.identityOf(byCertificate.toClient)?.kind).toBe('certificate')
  })

  it('reports the real port when it was told to choose one', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    for (const { endpoint } of [server, client]) {
      expect(endpoint.local.port).toBeGreaterThan(0)
      expect(endpoint.local.port).toBeLessThan(65_536)
    }
    expect(server.endpoint.local.address).toEqual(world().address('server', 4))
    expect(client.endpoint.local.address).toEqual(world().address('client', 4))
  })

  it('reports the path of the session on both sides', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    expect(client.log.pathOf(toServer)).toMatchObject({
      local: client.endpoint.local,
      remote: server.endpoint.local
    })
    expect(server.log.pathOf(toClient)).toMatchObject({
      local: server.endpoint.local,
      remote: client.endpoint.local
    })
  })

  it('works over IPv6', async () => {
    const local = { address: world().address('server', 6), port: 0 }
    const from = { address: world().address('client', 6), port: 0 }
    const { server, client, toServer, toClient } = await pairOf(world(), {
      server: { local },
      client: { local: from }
    })
    expect(server.log.pathOf(toClient)?.remote).toEqual(client.endpoint.local)
    expect(client.log.pathOf(toServer)?.remote.address).toEqual(local.address)
    expect(sendTexts(client.endpoint, toServer, ['six'])).toBe(true)
    await world().until(() => server.log.received.length === 1)
    expect(server.log.textsFrom(toClient)).toEqual(['six'])
  })

  it('takes no plaintext before the session is established', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    const peer = connect(world(), client, server)
    expect(client.endpoint.send(peer, encodeUtf8('too early'))).toBe(false)
    await world().until(() => client.log.isEstablished(peer))
    expect(client.endpoint.send(peer, encodeUtf8('in time'))).toBe(true)
    await world().until(() => server.log.received.length === 1)
    expect(server.log.textsFrom(server.log.established()[0] ?? peer)).toEqual(['in time'])
  })

  it('never reports the outcome of a handshake from within connect', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    connect(world(), client, server)
    expect(client.log.events).toEqual([])
    await world().until(() => client.log.events.length === 1)
  })

  it('reports a session before the first plaintext of its peer', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    client.log.afterEvent = (event) => void sendTexts(client.endpoint, event.peer, ['at once'])
    connect(world(), client, server)
    await world().until(() => server.log.received.length === 1)
    const [peer] = server.log.established()
    expect(server.log.story).toEqual([`established ${peer}`, `plaintext from ${peer}`])
  })

  it('keeps many sessions apart', async () => {
    const server = await attendServer(world())
    const clients = await Promise.all(Array.from({ length: 20 }, () => attendClient(world())))
    const peers = clients.map((client) => connect(world(), client, server))
    await world().until(() => server.log.established().length === 20)
    await world().until(() => clients.every(({ log }, index) => log.established()[0] === peers[index]))
    for (const [index, client] of clients.entries()) {
      const [peer] = client.log.established()
      if (peer !== undefined) sendTexts(client.endpoint, peer, [`from ${client.endpoint.local.port}`])
      expect(peer).toBe(peers[index])
    }
    await world().until(() => server.log.received.length === 20)
    for (const peer of server.log.established())
      expect(server.log.textsFrom(peer)).toEqual([`from ${server.log.pathOf(peer)?.remote.port}`])
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
    await world().until(() => servers.every(({ log }) => log.received.length === 1))
    for (const [index, { log }] of servers.entries())
      expect(log.textsFrom(log.established()[0] ?? peers[0]!)).toEqual([`to ${index}`])
  })
}

export function wildcardCases(world: CurrentWorld): void {
  it('reports the address that the client sent to when the server is bound to the wildcard', async ({
    skip
  }) => {
    if (world().bindsWildcard !== true) skip('this world cannot bind to the wildcard')
    const any = parseIpAddress('0.0.0.0')
    if (any === undefined) throw new Error('no wildcard address')
    const server = await attendServer(world(), { local: { address: any, port: 0 } })
    const client = await attendClient(world())
    const { port } = server.endpoint.local
    const reached = { address: world().address('server', 4), port }
    const peer = client.endpoint.connect({ remote: reached, serverName: world().serverName })
    await world().until(() => client.log.isEstablished(peer) && server.log.established().length === 1)
    const [toClient] = server.log.established()
    expect(toClient === undefined ? undefined : server.log.pathOf(toClient)?.local).toEqual(reached)
  })
}
