import { concatBytes, encodeUtf8, Milliseconds, Seconds } from '@breakwater/core'
import type { PeerId } from '@breakwater/core'
import { expect, it } from 'vitest'
import { attendClient, attendServer, connect, establish, pairOf, sendTexts } from './secure-pair.ts'
import { bytesFrom, textFrom } from './streamed-text.ts'
import type { AttendedStream } from './streamed-text.ts'
import type { CurrentStreamWorld } from './secure-stream-world.ts'

const numbered: readonly string[] = Array.from({ length: 50 }, (_, index) => `piece ${index};`)

const markedBy = (index: number): string => numbered.map((text) => `${index}: ${text}`).join('')

const large = 10 * 1024 * 1024

/** Bytes whose value follows from their place, with no period that a record or a buffer might have. */
function patternFrom(start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index++) bytes[index] = Math.imul(start + index, 0x9e3779b1) >>> 24
  return bytes
}

/** Sends the pattern, never more than the queue takes. */
async function pourInto(world: CurrentStreamWorld, from: AttendedStream, peer: PeerId): Promise<void> {
  for (let sent = 0; sent < large;) {
    const piece = Math.min(from.endpoint.maximumPlaintext(peer), 200_000, large - sent)
    if (piece > 0 && !from.endpoint.send(peer, patternFrom(sent, piece)))
      throw new Error(`not taken at byte ${sent}`)
    sent += piece
    await world().until(() => from.endpoint.maximumPlaintext(peer) > 0, Seconds(30))
  }
}

export function streamTrafficCases(world: CurrentStreamWorld): void {
  it('carries bytes both ways', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    expect(sendTexts(client.endpoint, toServer, ['question'])).toBe(true)
    await world().until(() => textFrom(server, toClient) === 'question')
    expect(sendTexts(server.endpoint, toClient, ['answer'])).toBe(true)
    await world().until(() => textFrom(client, toServer) === 'answer')
  })

  it('keeps the order of what was sent in one turn', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    expect(sendTexts(client.endpoint, toServer, numbered)).toBe(true)
    await world().until(() => bytesFrom(server, toClient) === numbered.join('').length)
    expect(textFrom(server, toClient)).toBe(numbered.join(''))
  })

  it('gives the bytes of each peer to that peer', async () => {
    const server = await attendServer(world())
    const first = await establish(world(), server, await attendClient(world()))
    const second = await establish(world(), server, await attendClient(world()))
    for (const text of numbered)
      for (const [index, { client, toServer }] of [first, second].entries())
        sendTexts(client.endpoint, toServer, [`${index}: ${text}`])
    await world().until(() => bytesFrom(server, first.toClient) === markedBy(0).length)
    await world().until(() => bytesFrom(server, second.toClient) === markedBy(1).length)
    expect(textFrom(server, first.toClient)).toBe(markedBy(0))
    expect(textFrom(server, second.toClient)).toBe(markedBy(1))
  })

  it('carries 10 MB both ways at once, in order', { timeout: 120_000 }, async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    await Promise.all([pourInto(world, client, toServer), pourInto(world, server, toClient)])
    await world().until(
      () => bytesFrom(server, toClient) === large && bytesFrom(client, toServer) === large,
      Seconds(60)
    )
    const expected = patternFrom(0, large)
    for (const { log } of [server, client])
      // Compared outside of the assertion: it would describe ten million bytes one by one.
      expect(firstDifference(concatBytes(log.received.map(({ bytes }) => bytes)), expected)).toBe(-1)
  })

  it('copies on send: the caller may use its buffer again at once', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    const buffer = encodeUtf8('before')
    client.endpoint.send(toServer, buffer)
    buffer.set(encodeUtf8('AFTER!'))
    await world().until(() => bytesFrom(server, toClient) === 6)
    expect(textFrom(server, toClient)).toBe('before')
  })

  it('sends a view, not the whole buffer under it', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    client.endpoint.send(toServer, encodeUtf8('(inner)').subarray(1, 6))
    await world().until(() => bytesFrom(server, toClient) > 0)
    await world().pause(Milliseconds(20))
    expect(textFrom(server, toClient)).toBe('inner')
  })

  it('takes no empty piece, and the session lives on', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    expect(client.endpoint.send(toServer, new Uint8Array(0))).toBe(false)
    expect(sendTexts(client.endpoint, toServer, ['still here'])).toBe(true)
    await world().until(() => textFrom(server, toClient) === 'still here')
  })

  it('refuses to send to a peer that it does not know', async () => {
    const { client, server, toServer, toClient } = await pairOf(world())
    expect(client.endpoint.send(toClient, encodeUtf8('to whom?'))).toBe(false)
    expect(client.endpoint.maximumPlaintext(toClient)).toBe(0)
    client.endpoint.close(toClient)
    expect(sendTexts(client.endpoint, toServer, ['still here'])).toBe(true)
    await world().until(() => server.log.received.length > 0)
  })

  it('lets a handler answer from within its batch', async () => {
    const { server, client, toServer } = await pairOf(world())
    server.log.beforeBatch = (batch) => {
      for (let index = 0; index < batch.count; index++)
        server.endpoint.send(batch.peer(index), batch.bytes(index))
    }
    sendTexts(client.endpoint, toServer, numbered)
    await world().until(() => textFrom(client, toServer) === numbered.join(''))
  })

  it('lets a handler close the peer from within its batch', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    server.log.beforeBatch = (batch) => server.endpoint.close(batch.peer(0))
    sendTexts(client.endpoint, toServer, ['last words'])
    await world().until(() => client.log.endOf(toServer) !== undefined)
    expect(server.log.endOf(toClient)).toBe('local')
    expect(textFrom(server, toClient)).toBe('last words')
  })

  it('counts what it does', async () => {
    const { server, client, toServer } = await pairOf(world())
    const before = server.endpoint.stats()
    sendTexts(client.endpoint, toServer, ['one', 'two'])
    await world().until(() => server.log.received.length > 0)
    const later = server.endpoint.stats()
    const grown = Object.keys(later).filter((name) => (later[name] ?? 0) > (before[name] ?? 0))
    expect(grown).not.toEqual([])
    for (const value of Object.values(later)) expect(value).toBeGreaterThanOrEqual(0)
  })

  it('loses nothing else when a handler throws', async () => {
    const { server, client, toServer, toClient } = await pairOf(world())
    let throws = 1
    server.log.beforeBatch = () => {
      if (throws-- > 0) throw new Error('a broken handler')
    }
    const errors = await world().catchUncaught(async () => {
      sendTexts(client.endpoint, toServer, ['swallowed'])
      await world().until(() => throws === 0)
      sendTexts(client.endpoint, toServer, ['after'])
      await world().until(() => server.log.received.length > 0)
    })
    expect(errors.map(String)).toEqual(['Error: a broken handler'])
    expect(textFrom(server, toClient)).toBe('after')
  })

  it('keeps the session when the handler that hears of it throws', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    server.log.afterEvent = () => {
      throw new Error('a broken handler')
    }
    const errors = await world().catchUncaught(async () => {
      const peer = connect(world(), client, server)
      await world().until(() => client.log.isEstablished(peer))
      sendTexts(client.endpoint, peer, ['here'])
      await world().until(() => server.log.received.length > 0)
    })
    expect(errors.map(String)).toEqual(['Error: a broken handler'])
  })
}

function firstDifference(got: Uint8Array, expected: Uint8Array): number {
  if (got.length !== expected.length) return Math.min(got.length, expected.length)
  return got.findIndex((byte, index) => byte !== expected[index])
}
