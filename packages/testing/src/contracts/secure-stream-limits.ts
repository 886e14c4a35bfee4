import { Milliseconds, UnavailableError } from '@breakwater/core'
import { expect, it } from 'vitest'
import { RecordingHandlers } from './recording-handlers.ts'
import { attendClient, attendServer, connect, establish, pairOf, sendTexts } from './secure-pair.ts'
import { textFrom } from './streamed-text.ts'
import type { CurrentStreamWorld } from './secure-stream-world.ts'

const soon = Milliseconds(150)

export function streamLimitCases(world: CurrentStreamWorld): void {
  it('turns a client away when the server has no room, and keeps those it has', async () => {
    const server = await attendServer(world(), { limits: { peers: 1 } })
    const first = await establish(world(), server, await attendClient(world()))
    const late = await attendClient(world())
    const peer = connect(world(), late, server)
    await world().until(() => server.log.failures().length > 0 && late.log.failureOf(peer) !== undefined)
    expect(server.log.failures()).toEqual(['limit'])
    expect(late.log.failureOf(peer)).toBe('peer-alert')
    sendTexts(first.client.endpoint, first.toServer, ['still here'])
    await world().until(() => textFrom(server, first.toClient) === 'still here')
  })

  it('has room again when a session has gone', async () => {
    const server = await attendServer(world(), { limits: { peers: 1 } })
    const first = await establish(world(), server, await attendClient(world()))
    first.client.endpoint.close(first.toServer)
    await world().until(() => server.log.endOf(first.toClient) !== undefined)
    const second = await establish(world(), server, await attendClient(world()))
    expect(server.log.isEstablished(second.toClient)).toBe(true)
  })

  it('fails to connect when the client has no room', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world(), { limits: { peers: 1 } })
    const first = await establish(world(), server, client)
    const late = connect(world(), client, server)
    expect(late).not.toBe(first.toServer)
    await world().until(() => client.log.failureOf(late) !== undefined)
    expect(client.log.failureOf(late)).toBe('limit')
    expect(client.log.endOf(first.toServer)).toBeUndefined()
  })

  it('does not let half-open connections take all the room', async () => {
    const server = await attendServer(world(), { limits: { handshaking: 2 } })
    const idle = [
      await world().connectRaw(server.endpoint.local),
      await world().connectRaw(server.endpoint.local)
    ]
    await world().until(() => server.endpoint.stats()['handshaking'] === 2)
    const late = await world().connectRaw(server.endpoint.local)
    await world().until(() => late.isClosed)
    expect(idle.map(({ isClosed }) => isClosed)).toEqual([false, false])
    expect(server.log.failures()).toEqual(['limit'])
  })

  it('ends a handshake that takes too long, and has room again', async () => {
    const server = await attendServer(world(), { limits: { handshaking: 1, handshake: soon } })
    const idle = await world().connectRaw(server.endpoint.local)
    await world().until(() => idle.isClosed)
    expect(server.log.failures()).toEqual(['timeout'])
    const pair = await establish(world(), server, await attendClient(world()))
    expect(server.log.isEstablished(pair.toClient)).toBe(true)
  })

  it('ends a handshake that comes drop by drop', async () => {
    const server = await attendServer(world(), { limits: { handshake: soon } })
    const loris = await world().connectRaw(server.endpoint.local)
    // A TLS record that promises 512 bytes of ClientHello.
    const hello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]
    for (const byte of hello) {
      loris.send(Uint8Array.of(byte))
      await world().pause(Milliseconds(5))
    }
    await world().until(() => loris.isClosed)
    expect(server.log.failures()).toEqual(['timeout'])
  })

  it('gives up a server that never answers', async () => {
    const client = await attendClient(world(), { limits: { handshake: soon } })
    const peer = client.endpoint.connect({ remote: await world().silence(), serverName: world().serverName })
    await world().until(() => client.log.events.length > 0)
    expect(client.log.events).toEqual([{ kind: 'failed', peer, reason: 'timeout' }])
  })

  it('ends what is not TLS', async () => {
    const server = await attendServer(world())
    const browser = await world().connectRaw(server.endpoint.local)
    browser.send(Uint8Array.from('GET / HTTP/1.0\r\n\r\n', (letter) => letter.charCodeAt(0)))
    await world().until(() => browser.isClosed && server.log.failures().length > 0)
    expect(server.log.failures()).toEqual(['protocol'])
  })

  it('reports a connection that ends before its handshake', async () => {
    const server = await attendServer(world())
    const scanner = await world().connectRaw(server.endpoint.local)
    await world().until(() => server.endpoint.stats()['handshaking'] === 1)
    scanner.close()
    await world().until(() => server.log.failures().length > 0)
    expect(server.log.failures()).toEqual(['peer-alert'])
    expect(server.endpoint.stats()).toMatchObject({ peers: 0, handshaking: 0 })
  })

  it('ends a session whose client says nothing, and keeps one that has spoken', async () => {
    const server = await attendServer(world(), { limits: { firstByte: soon } })
    const talker = await establish(world(), server, await attendClient(world()))
    sendTexts(talker.client.endpoint, talker.toServer, ['hello'])
    const silent = await establish(world(), server, await attendClient(world()))
    await world().until(() => server.log.endOf(silent.toClient) !== undefined)
    expect(server.log.endOf(silent.toClient)).toBe('local')
    await world().until(() => silent.client.log.endOf(silent.toServer) === 'close-notify')
    await world().pause(soon)
    expect(server.log.endOf(talker.toClient)).toBeUndefined()
  })

  it('promises no more room than it has', async () => {
    const { client, toServer } = await pairOf(world(), { client: { limits: { queuedBytes: 1000 } } })
    expect(client.endpoint.maximumPlaintext(toServer)).toBe(1000)
    expect(client.endpoint.send(toServer, new Uint8Array(600))).toBe(true)
    expect(client.endpoint.maximumPlaintext(toServer)).toBe(400)
    await world().until(() => client.endpoint.maximumPlaintext(toServer) === 1000)
  })

  it('refuses what would not fit an empty queue, and the session lives on', async () => {
    const { server, client, toServer, toClient } = await pairOf(world(), {
      client: { limits: { queuedBytes: 1000 } }
    })
    expect(client.endpoint.send(toServer, new Uint8Array(1001))).toBe(false)
    expect(sendTexts(client.endpoint, toServer, ['still here'])).toBe(true)
    await world().until(() => textFrom(server, toClient) === 'still here')
  })

  it('ends the session of a peer that lets its queue fill up', async () => {
    const { client, toServer } = await pairOf(world(), { client: { limits: { queuedBytes: 1000 } } })
    expect(client.endpoint.send(toServer, new Uint8Array(900))).toBe(true)
    expect(client.endpoint.send(toServer, new Uint8Array(101))).toBe(false)
    expect(client.log.endOf(toServer)).toBeUndefined()
    expect(client.endpoint.send(toServer, new Uint8Array(1))).toBe(false)
    await world().until(() => client.log.endOf(toServer) !== undefined)
    expect(client.log.endOf(toServer)).toBe('local')
  })

  it('does not open on a port that is taken', async () => {
    const server = await attendServer(world())
    const error: unknown = await world()
      .openServer(new RecordingHandlers(), { local: server.endpoint.local })
      .then(
        () => 'opened',
        (reason: unknown) => reason
      )
    expect(error).toBeInstanceOf(UnavailableError)
  })
}
