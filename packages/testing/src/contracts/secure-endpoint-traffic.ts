import { encodeUtf8 } from '@breakwater/core'
import type { PeerId } from '@breakwater/core'
import { expect, it } from 'vitest'
import { attendClient, attendServer, connect, establish, pairOf, sendTexts } from './secure-pair.ts'
import type { CurrentWorld } from './secure-endpoint-world.ts'

const numbered: readonly string[] = Array.from({ length: 50 }, (_, index) => `message ${index}`)

export function trafficCases(world: CurrentWorld): void {
  it('carries plaintext both ways', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    expect(sendTexts(client.endpoint, toServer, ['question'])).toBe(true)
    await world().until(() => server.log.received.length === 1)
    expect(sendTexts(server.endpoint, toClient, ['answer'])).toBe(true)
    await world().until(() => client.log.received.length === 1)
    expect(server.log.textsFrom(toClient)).toEqual(['question'])
    expect(client.log.textsFrom(toServer)).toEqual(['answer'])
  })

  it('carries every byte value unchanged', async () => {
    const { server, client, toServer } = await pairOf(world())
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    client.endpoint.send(toServer, bytes)
    await world().until(() => server.log.received.length === 1)
    expect(server.log.received[0]?.bytes).toEqual(bytes)
  })

  it('keeps the borders and the order of what was sent in one turn', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    expect(sendTexts(client.endpoint, toServer, numbered)).toBe(true)
    await world().until(() => server.log.received.length === numbered.length)
    expect(server.log.textsFrom(toClient)).toEqual(numbered)
    expect(server.log.batchSizes.reduce((sum, size) => sum + size, 0)).toBe(numbered.length)
    expect(Math.min(...server.log.batchSizes)).toBeGreaterThan(0)
  })

  it('gives each plaintext of a batch to the peer that sent it', async () => {
    const server = await attendServer(world())
    const first = await establish(world(), server, await attendClient(world()))
    const second = await establish(world(), server, await attendClient(world()))
    for (const text of numbered)
      for (const { client, toServer } of [first, second]) sendTexts(client.endpoint, toServer, [text])
    await world().until(() => server.log.received.length === 2 * numbered.length)
    expect(server.log.textsFrom(first.toClient)).toEqual(numbered)
    expect(server.log.textsFrom(second.toClient)).toEqual(numbered)
  })

  it('copies on send: the caller may use its buffer again at once', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    const buffer = encodeUtf8('before')
    client.endpoint.send(toServer, buffer)
    buffer.set(encodeUtf8('AFTER!'))
    await world().until(() => server.log.received.length === 1)
    expect(server.log.textsFrom(toClient)).toEqual(['before'])
  })

  it('sends a view, not the whole buffer under it', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    client.endpoint.send(toServer, encodeUtf8('(inner)').subarray(1, 6))
    await world().until(() => server.log.received.length === 1)
    expect(server.log.textsFrom(toClient)).toEqual(['inner'])
  })

  it('carries the largest plaintext it promises, and refuses one byte more', async () => {
    const { server, client, toServer } = await pairOf(world())
    const largest = client.endpoint.maximumPlaintext(toServer)
    expect(client.endpoint.send(toServer, new Uint8Array(largest + 1))).toBe(false)
    expect(client.endpoint.send(toServer, new Uint8Array(largest).fill(7))).toBe(true)
    await world().until(() => server.log.received.length === 1)
    expect(server.log.received[0]?.bytes).toEqual(new Uint8Array(largest).fill(7))
  })

  it('reckons the largest plaintext from the MTU, headers and record taken off', async () => {
    const wide = await pairOf(world())
    const narrow = await pairOf(world(), { server: { mtu: 600 }, client: { mtu: 600 } })
    const inWide = wide.client.endpoint.maximumPlaintext(wide.toServer)
    const inNarrow = narrow.client.endpoint.maximumPlaintext(narrow.toServer)
    // IPv4 and UDP headers take 28 bytes, a DTLS 1.2 record header 13, nonce and tag at most 32 more or so.
    expect(inWide).toBeLessThanOrEqual(1280 - 28 - 13)
    expect(inWide).toBeGreaterThan(1280 - 28 - 100)
    expect(inWide - inNarrow).toBe(1280 - 600)
  })

  it('refuses to send to a peer that it does not know', async () => {
    const { client, server, toServer, toClient } = await pairOf(world())
    expect(client.endpoint.send(toClient, encodeUtf8('to whom?'))).toBe(false)
    expect(client.endpoint.maximumPlaintext(toClient)).toBe(0)
    client.endpoint.close(toClient)
    expect(sendTexts(client.endpoint, toServer, ['still here'])).toBe(true)
    await world().until(() => server.log.received.length === 1)
  })

  it('lets a handler answer from within its batch', async () => {
    const { server, client, toServer } = await pairOf(world())
    server.log.beforeBatch = (batch) => {
      for (let index = 0; index < batch.count; index++)
        server.endpoint.send(batch.peer(index), batch.bytes(index))
    }
    sendTexts(client.endpoint, toServer, numbered)
    await world().until(() => client.log.received.length === numbered.length)
    expect(client.log.textsFrom(toServer)).toEqual(numbered)
  })

  it('lets a handler close the peer from within its batch', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    server.log.beforeBatch = (batch) => server.endpoint.close(batch.peer(0))
    sendTexts(client.endpoint, toServer, ['last words'])
    await world().until(() => client.log.endOf(toServer) !== undefined)
    expect(server.log.endOf(toClient)).toBe('local')
    expect(client.log.endOf(toServer)).toBe('close-notify')
    expect(server.log.textsFrom(toClient)).toEqual(['last words'])
  })

  it('counts what it does', async () => {
    const { server, client, toServer } = await pairOf(world())
    const before = server.endpoint.stats()
    sendTexts(client.endpoint, toServer, ['one', 'two'])
    await world().until(() => server.log.received.length === 2)
    const later = server.endpoint.stats()
    const grown = Object.keys(later).filter((name) => (later[name] ?? 0) > (before[name] ?? 0))
    expect(grown).not.toEqual([])
    for (const value of Object.values(later)) expect(value).toBeGreaterThanOrEqual(0)
  })
}

export function uncaughtCases(world: CurrentWorld): void {
  it('loses nothing else when a handler throws', async ({ skip }) => {
    if (world().catchUncaught === undefined) skip('this world cannot see uncaught errors')
    const { server, client, toServer, toClient } = await pairOf(world())
    let throws = 1
    server.log.beforeBatch = () => {
      if (throws-- > 0) throw new Error('a broken handler')
    }
    const errors = await world().catchUncaught?.(async () => {
      sendTexts(client.endpoint, toServer, ['swallowed'])
      await world().until(() => throws === 0)
      sendTexts(client.endpoint, toServer, ['after'])
      await world().until(() => server.log.received.length > 0)
    })
    expect(errors?.map(String)).toEqual(['Error: a broken handler'])
    expect(server.log.textsFrom(toClient).at(-1)).toBe('after')
  })

  it('keeps the session when the handler that hears of it throws', async ({ skip }) => {
    if (world().catchUncaught === undefined) skip('this world cannot see uncaught errors')
    const server = await attendServer(world())
    const client = await attendClient(world())
    server.log.afterEvent = () => {
      throw new Error('a broken handler')
    }
    let peer: PeerId | undefined
    const errors = await world().catchUncaught?.(async () => {
      peer = connect(world(), client, server)
      await world().until(() => client.log.established().length === 1)
      sendTexts(client.endpoint, client.log.established()[0]!, ['here'])
      await world().until(() => server.log.received.length === 1)
    })
    expect(errors?.map(String)).toEqual(['Error: a broken handler'])
    expect(client.log.established()).toEqual([peer])
  })
}
