import { encodeUtf8, Milliseconds } from '@breakwater/core'
import { expect, it } from 'vitest'
import { attendClient, attendServer, connect, establish, pairOf, sendTexts } from './secure-pair.ts'
import { textFrom } from './streamed-text.ts'
import type { CurrentStreamWorld } from './secure-stream-world.ts'

/** Long enough for anything that is on its way to arrive. */
const aMoment = Milliseconds(200)

export function streamEndingCases(world: CurrentStreamWorld): void {
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

  it('never reports from within close', async () => {
    const { client, toServer } = await pairOf(world())
    client.endpoint.close(toServer)
    expect(client.log.events).toHaveLength(1)
    await world().until(() => client.log.events.length === 2)
  })

  it('delivers what was sent before the session was closed', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    sendTexts(client.endpoint, toServer, ['last words'])
    client.endpoint.close(toServer)
    await world().until(() => server.log.endOf(toClient) !== undefined)
    expect(textFrom(server, toClient)).toBe('last words')
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
    const peer = client.endpoint.connect({ remote: await world().silence(), serverName: world().serverName })
    client.endpoint.close(peer)
    await world().until(() => client.log.events.length > 0)
    await world().pause(aMoment)
    expect(client.log.events).toEqual([{ kind: 'failed', peer, reason: 'local' }])
  })

  it('reports a handshake with nobody as failed', async () => {
    const client = await attendClient(world())
    const peer = client.endpoint.connect({ remote: await world().nobody(), serverName: world().serverName })
    await world().until(() => client.log.events.length > 0)
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
    expect(sendTexts(first.client.endpoint, first.toServer, ['anybody there?'])).toBe(false)
    await world().pause(aMoment)
    expect(server.log.events).toHaveLength(reported)
    expect(server.log.received).toEqual([])
  })

  it('delivers what was sent before it is destroyed', async () => {
    const { server, client, toServer } = await pairOf(world())
    const { toClient } = { toClient: server.log.established()[0]! }
    sendTexts(server.endpoint, toClient, ['farewell'])
    await server.endpoint.destroy()
    await world().until(() => client.log.endOf(toServer) !== undefined)
    expect(textFrom(client, toServer)).toBe('farewell')
  })

  it('does nothing after it was destroyed, and may be destroyed again', async () => {
    const { server, client, toServer } = await pairOf(world())
    await client.endpoint.destroy()
    await client.endpoint.destroy()
    expect(client.endpoint.send(toServer, encodeUtf8('x'))).toBe(false)
    expect(client.endpoint.maximumPlaintext(toServer)).toBe(0)
    client.endpoint.close(toServer)
    connect(world(), client, server)
    await world().pause(aMoment)
    expect(client.log.events).toHaveLength(1)
    expect(server.log.established()).toHaveLength(1)
  })

  it('may be destroyed in the middle of a handshake, on either side', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    const other = await attendClient(world())
    connect(world(), client, server)
    connect(world(), other, server)
    await client.endpoint.destroy()
    await server.endpoint.destroy()
    await world().pause(aMoment)
    expect(client.log.events).toEqual([])
    expect(server.log.established()).toEqual([])
  })

  it('frees its port when it is destroyed', async () => {
    const { server, client, toServer } = await pairOf(world())
    const { local } = server.endpoint
    await server.endpoint.destroy()
    const successor = await attendServer(world(), { local })
    expect(successor.endpoint.local).toEqual(local)
    await world().until(() => client.log.endOf(toServer) !== undefined)
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
    await world().until(() => textFrom(server, again.toClient) === 'again')
  })
}
