import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { attendClient, attendServer, establish, pairOf, sendTexts } from './secure-pair.ts'
import type { CurrentWorld } from './secure-endpoint-world.ts'

/** A lost flight is sent again after 1 s (RFC 6347 §4.2.4.1); two in a row cost 3 s. */
const patience = Seconds(10)

export function lossCases(world: CurrentWorld): void {
  describe.for(['server', 'client'] as const)('of datagrams to the %s', (side) => {
    it.for([0, 1, 2, 3])('survives in the handshake, after %i that arrived', async (skipping, { skip }) => {
      if (world().dropNext === undefined) skip('this world cannot lose datagrams')
      const server = await attendServer(world())
      const client = await attendClient(world())
      world().dropNext?.(1, side, skipping)
      const pair = await establish(world(), server, client, patience)
      sendTexts(client.endpoint, pair.toServer, ['through', 'through'])
      await world().until(() => server.log.received.length > 0)
      expect(server.log.textsFrom(pair.toClient)).toContain('through')
    })

    it('survives two losses in a row', async ({ skip }) => {
      if (world().dropNext === undefined) skip('this world cannot lose datagrams')
      const server = await attendServer(world())
      const client = await attendClient(world())
      world().dropNext?.(2, side)
      const pair = await establish(world(), server, client, patience)
      expect(server.log.established()).toEqual([pair.toClient])
    })
  })

  it('of plaintext is not made good: the layer above knows better', async ({ skip }) => {
    if (world().dropNext === undefined) skip('this world cannot lose datagrams')
    const { server, client, toServer, toClient } = await pairOf(world())
    world().dropNext?.(1, 'server')
    sendTexts(client.endpoint, toServer, ['lost'])
    await world().pause(Seconds(2))
    sendTexts(client.endpoint, toServer, ['not lost'])
    await world().until(() => server.log.received.length === 1)
    expect(server.log.textsFrom(toClient)).toEqual(['not lost'])
  })
}
