import { Milliseconds, Seconds } from '@breakwater/core'
import type { PeerId, SecureEndpoint, SocketAddress } from '@breakwater/core'
import { expect, it } from 'vitest'
import { attendClient, attendServer, connect, establish, pairOf, sendTexts } from './secure-pair.ts'
import type { Attended } from './secure-pair.ts'
import type { CurrentWorld, SecureEndpointWorld } from './secure-endpoint-world.ts'

/** A handshake with nobody, at the host of a server, which says so; ClientHellos follow after 0.4 s, 1.2 s, 2.8 s. */
async function toNobody(
  world: SecureEndpointWorld
): Promise<{ client: Attended<SecureEndpoint>; peer: PeerId; vacant: SocketAddress }> {
  const { client } = await pairOf(world, { client: { handshakeRetransmission: Milliseconds(400) } })
  const vacant = await world.vacant?.()
  if (vacant === undefined) throw new Error('this world has no such place')
  const peer = client.endpoint.connect({ remote: vacant, serverName: world.serverName })
  return { client, peer, vacant }
}

export function hintCases(world: CurrentWorld): void {
  it('is told, and ends no handshake: a server that comes is found [RFC7252-4.2-S01]', async ({ skip }) => {
    if (world().vacant === undefined) skip('nobody says anything in this world')
    const { client, peer, vacant } = await toNobody(world())
    await world().until(() => client.log.hints.length > 0)
    expect(client.log.hints[0]).toEqual({ peer, kind: 'port-unreachable', origin: 'icmp' })
    expect(client.log.failureOf(peer)).toBeUndefined()
    await attendServer(world(), { local: vacant })
    await world().until(() => client.log.isEstablished(peer), Seconds(10))
  })

  it('is told once a second and peer, however much is said', async ({ skip }) => {
    if (world().vacant === undefined) skip('nobody says anything in this world')
    const { client } = await toNobody(world())
    await world().until(() => client.log.hints.length > 0)
    await world().pause(Milliseconds(750))
    expect(client.log.hints).toHaveLength(1)
    await world().until(() => client.log.hints.length === 2)
  })

  it('ends no session, and takes nothing of what is sent [RFC7252-4.2-S01]', async ({ skip }) => {
    if (world().vacant === undefined || world().vanish === undefined) skip('nobody says anything here')
    const { client } = await pairOf(world())
    const { server, toServer } = await establish(world(), await attendServer(world()), client)
    const { local } = server.endpoint
    await world().vanish?.(server.endpoint)
    sendTexts(client.endpoint, toServer, ['into the void'])
    await world().until(() => client.log.hints.length > 0)
    for (let times = 0; times < 10; times++) {
      expect(sendTexts(client.endpoint, toServer, ['and more'])).toBe(true)
      await world().pause(Milliseconds(20))
    }
    const again = await attendServer(world(), { local })
    connect(world(), client, again)
    await world().until(() => client.log.endOf(toServer) !== undefined)
    expect(client.log.endOf(toServer)).toBe('replaced')
  })

  it('is no business of a server', async ({ skip }) => {
    if (world().vacant === undefined || world().vanish === undefined) skip('nobody says anything here')
    await pairOf(world())
    const server = await attendServer(world())
    const { client, toClient } = await establish(world(), server, await attendClient(world()))
    await world().vanish?.(client.endpoint)
    sendTexts(server.endpoint, toClient, ['one'])
    await world().pause(Milliseconds(100))
    expect(server.log.hints).toEqual([])
    expect(server.log.endOf(toClient)).toBeUndefined()
  })
}
