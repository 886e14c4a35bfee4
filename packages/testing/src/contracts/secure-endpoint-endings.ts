import { encodeUtf8, Milliseconds } from '@breakwater/core'
import { expect, it } from 'vitest'
import { attendClient, attendServer, connect, establish, pairOf, sendTexts } from './secure-pair.ts'
import type { CurrentWorld } from './secure-endpoint-world.ts'

/** Long enough for anything that is on its way to arrive. */
const aMoment = Milliseconds(300)

export function endingCases(world: CurrentWorld): void {
  it('reports a session that the client closed on both sides', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    client.endpoint.close(toServer)
    await world().until(() => server.log.events.length === 2 && client.log.events.length === 2)
    expect(client.log.endOf(toServer)).toBe('local')
    expect(server.log.endOf(toClient)).toBe('close-notify')
  })

  it('reports a session that the server closed on both sides', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    server.endpoint.close(toClient)
    await world().until(() => server.log.events.length === 2 && client.log.events.length === 2)
    expect(server.log.endOf(toClient)).toBe('local')
    expect(client.log.endOf(toServer)).toBe('close-notify')
  })

  it('delivers what was sent before the session was closed', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    sendTexts(client.endpoint, toServer, ['last words'])
    client.endpoint.close(toServer)
    await world().until(() => server.log.endOf(toClient) !== undefined)
    expect(server.log.textsFrom(toClient)).toEqual(['last words'])
  })

  it('takes nothing more for a peer that has gone', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    client.endpoint.close(toServer)
    await world().until(() => server.log.endOf(toClient) !== undefined)
    expect(client.endpoint.send(toServer, encodeUtf8('x'))).toBe(false)
    expect(server.endpoint.send(toClient, encodeUtf8('x'))).toBe(false)
    expect(client.endpoint.maximumPlaintext(toServer)).toBe(0)
    expect(server.endpoint.maximumPlaintext(toClient)).toBe(0)
  })

  it('reports each ending once, however often it is closed', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    client.endpoint.close(toServer)
    client.endpoint.close(toServer)
    await world().until(() => server.log.endOf(toClient) !== undefined)
    server.endpoint.close(toClient)
    client.endpoint.close(toServer)
    await world().pause(aMoment)
    expect(client.log.events).toHaveLength(2)
    expect(server.log.events).toHaveLength(2)
  })

  it('gives up a handshake that is closed', async () => {
    const client = await attendClient(world())
    const nobody = { address: world().address('server', 4), port: 9 }
    const peer = client.endpoint.connect({ remote: nobody, serverName: world().serverName })
    client.endpoint.close(peer)
    await world().until(() => client.log.events.length > 0)
    expect(client.log.events).toEqual([{ kind: 'failed', peer, reason: 'local' }])
  })

  it('reports a handshake with nobody as failed', { timeout: 600_000 }, async () => {
    const gone = await attendServer(world())
    const client = await attendClient(world())
    await gone.endpoint.destroy()
    const peer = connect(world(), client, gone)
    await world().until(() => client.log.events.length > 0, world().handshakeGivesUpWithin)
    expect(client.log.events).toEqual([{ kind: 'failed', peer, reason: 'timeout' }])
    expect(client.endpoint.maximumPlaintext(peer)).toBe(0)
  })

  it('says goodbye to everybody when it is destroyed, and reports nothing more', async () => {
    const server = await attendServer(world())
    const first = await establish(world(), server, await attendClient(world()))
    const second = await establish(world(), server, await attendClient(world()))
    const reported = server.log.events.length
    await server.endpoint.destroy()
    await world().until(() =>
      [first, second].every(({ client, toServer }) => client.log.endOf(toServer) === 'close-notify')
    )
    sendTexts(first.client.endpoint, first.toServer, ['anybody there?'])
    await world().pause(aMoment)
    expect(server.log.events).toHaveLength(reported)
    expect(server.log.received).toEqual([])
  })

  it('does nothing after it was destroyed, and may be destroyed again', async () => {
    const { client, toServer } = await pairOf(world())
    await client.endpoint.destroy()
    await client.endpoint.destroy()
    expect(client.endpoint.send(toServer, encodeUtf8('x'))).toBe(false)
    expect(client.endpoint.maximumPlaintext(toServer)).toBe(0)
    client.endpoint.close(toServer)
    await world().pause(aMoment)
    expect(client.log.events).toHaveLength(1)
  })

  it('may be destroyed in the middle of a handshake', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    connect(world(), client, server)
    await client.endpoint.destroy()
    await world().pause(aMoment)
    expect(client.log.events).toEqual([])
    expect(server.log.established()).toEqual([])
  })

  it('frees its port when it is destroyed', async () => {
    const { server, client } = await pairOf(world())
    const { local } = server.endpoint
    await server.endpoint.destroy()
    const successor = await attendServer(world(), { local })
    expect(successor.endpoint.local).toEqual(local)
    await world().until(() => client.log.events.length === 2)
    const pair = await establish(world(), successor, client)
    expect(successor.log.isEstablished(pair.toClient)).toBe(true)
  })

  it('connects again to a server after the session was closed', async () => {
    const { server, client, toServer } = await pairOf(world())
    client.endpoint.close(toServer)
    await world().until(() => server.log.events.length === 2)
    const again = await establish(world(), server, client)
    expect(again.toServer).not.toBe(toServer)
    sendTexts(client.endpoint, again.toServer, ['again'])
    await world().until(() => server.log.received.length === 1)
    expect(server.log.textsFrom(again.toClient)).toEqual(['again'])
  })
}

export function crashCases(world: CurrentWorld): void {
  it('replaces the session of a client that comes back from the same port after a crash', async ({
    skip
  }) => {
    if (world().vanish === undefined) skip('this world cannot crash an endpoint')
    const { server, client, toClient } = await pairOf(world())
    const { local } = client.endpoint
    await world().vanish?.(client.endpoint)
    const reborn = await establish(world(), server, await attendClient(world(), { local }))
    // RFC 6347 §4.2.8: the old session goes only when the new handshake is complete.
    expect(server.log.story).toEqual([
      `established ${toClient}`,
      `closed ${toClient}`,
      `established ${reborn.toClient}`
    ])
    expect(server.log.endOf(toClient)).toBe('replaced')
    expect(server.endpoint.send(toClient, encodeUtf8('x'))).toBe(false)
    sendTexts(server.endpoint, reborn.toClient, ['welcome back'])
    await world().until(() => reborn.client.log.received.length === 1)
  })

  it('keeps the session of a client when somebody at its port does not get through the handshake', async ({
    skip
  }) => {
    if (world().vanish === undefined) skip('this world cannot crash an endpoint')
    const { server, client, toClient } = await pairOf(world())
    const { local } = client.endpoint
    await world().vanish?.(client.endpoint)
    const credentials = world().certificate('client', 'stranger')
    const impostor = await attendClient(world(), { local, credentials })
    connect(world(), impostor, server)
    await world().until(() => impostor.log.events.length > 0)
    await world().pause(aMoment)
    expect(server.log.endOf(toClient)).toBeUndefined()
    expect(server.endpoint.send(toClient, encodeUtf8('still yours'))).toBe(true)
  })
}
