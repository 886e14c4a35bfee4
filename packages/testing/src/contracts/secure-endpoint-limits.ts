import { UnavailableError } from '@breakwater/core'
import { expect, it } from 'vitest'
import { RecordingHandlers } from './recording-handlers.ts'
import { attendClient, attendServer, connect, establish, sendTexts } from './secure-pair.ts'
import type { CurrentWorld } from './secure-endpoint-world.ts'

export function limitCases(world: CurrentWorld): void {
  it('turns a client away when the server has no room, and keeps those it has', async () => {
    const server = await attendServer(world(), { limits: { peers: 1 } })
    const first = await establish(world(), server, await attendClient(world()))
    const late = await attendClient(world())
    connect(world(), late, server)
    await world().until(() => server.log.failures().length > 0)
    expect(server.log.failures()).toContain('limit')
    expect(server.log.established()).toEqual([first.toClient])
    expect(late.log.established()).toEqual([])
    sendTexts(first.client.endpoint, first.toServer, ['still here'])
    await world().until(() => server.log.received.length === 1)
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
    const other = await attendServer(world())
    const late = connect(world(), client, other)
    expect(late).not.toBe(first.toServer)
    await world().until(() => client.log.failureOf(late) !== undefined)
    expect(client.log.failureOf(late)).toBe('limit')
    expect(client.log.endOf(first.toServer)).toBeUndefined()
  })

  it('does not open on a port that is taken', async () => {
    const server = await attendServer(world())
    const refusal: unknown = await world()
      .openServer(new RecordingHandlers(), { local: server.endpoint.local })
      .then(
        () => 'opened',
        (error: unknown) => error
      )
    expect(refusal).toBeInstanceOf(UnavailableError)
  })
}
